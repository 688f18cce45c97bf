"""Sends requests to the commerce services, to the healthy address with the fewest outstanding requests."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from functools import partial
from random import Random
from typing import Self, TypeVar

from typing_extensions import TypedDict

from common.errors import UserError
from common.http_client import (
    ConnectionLost,
    HttpResponse,
    HttpStream,
    NotConnected,
    RequestFailed,
    RequestTimedOut,
    closes_connection,
)
from common.service_urls_file import ServiceUrls, ServiceUrlsFile, parse_service_urls
from common.settings import Settings
from schemas.services import SERVICES
from serving.gateway.service_addresses import Resolve, ServiceAddress, ServiceAddresses, resolve_host
from serving.kit.circuit_breaker import BreakerSettings, CircuitBreaker

WATCH_EVERY_S = 1.0
"""How often the file with the URLs of services is read."""


R = TypeVar("R", bound=HttpResponse | HttpStream)


class AddressState(TypedDict):
    """One address of a service; `outstanding` is the number of requests that this process sent to it."""

    url: str
    address: str | None
    healthy: bool
    outstanding: int


class ServiceState(TypedDict):
    """Where a service is, and whether it is called."""

    addresses: list[AddressState]
    breaker: str


class ServiceRoutes:
    """The routes of one process to all commerce services. Use it as an async context manager.

    Services with the same base URL share its connections.
    """

    def __init__(
        self,
        settings: Settings,
        breaker: BreakerSettings | None = None,
        random: Random | None = None,
        resolve: Resolve = resolve_host,
    ) -> None:
        """Read the routes from `service_urls_file`, or else from `service_urls`.

        Raises:
            UserError: the file can't be read or is invalid, or `service_urls` is invalid.
        """
        self._file = (
            ServiceUrlsFile(settings.service_urls_file, SERVICES) if settings.service_urls_file else None
        )
        self._commerce = settings.commerce
        self._random = random or Random()
        self._resolve = resolve
        self._breakers = {
            service: CircuitBreaker(f"commerce.{service}", (RequestFailed,), breaker) for service in SERVICES
        }
        self._bases = self._complete(self._file.read() if self._file else _from_setting(settings))
        self._by_url: dict[str, ServiceAddresses] = {}
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._add_addresses()
        if self._file is not None:
            self._watching = asyncio.create_task(self._watch(self._file))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await asyncio.gather(*(addresses.aclose() for addresses in self._by_url.values()))

    def _complete(self, urls: ServiceUrls) -> dict[str, list[str]]:
        return {service: urls.get(service) or [self._commerce] for service in SERVICES}

    def _add_addresses(self) -> None:
        for url in dict.fromkeys(url for urls in self._bases.values() for url in urls):
            if url not in self._by_url:
                addresses = self._by_url[url] = ServiceAddresses(
                    url, partial(self._end_open_periods, url), self._resolve
                )
                addresses.start()

    async def _watch(self, file: ServiceUrlsFile) -> None:
        """Use the URLs of the file from the moment in which it changes. Requests that are open go on."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            if (urls := await asyncio.to_thread(file.read_if_changed)) is None:
                continue
            self._bases = self._complete(urls)
            self._add_addresses()
            for service in SERVICES:  # failures of the addresses of before say nothing about the new ones
                self._breakers[service].end_open_period()
            used = {url for each in self._bases.values() for url in each}
            for url in self._by_url.keys() - used:
                self._by_url.pop(url).drop()

    def _end_open_periods(self, url: str) -> None:
        """Let services at a URL that answers health checks again be tried at once."""
        for service, urls in self._bases.items():
            if url in urls:
                self._breakers[service].end_open_period()

    async def request(
        self,
        service: str,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        idempotent: bool = False,
    ) -> HttpResponse:
        """Send a request to a service, and return its response.

        If an address refuses the connection, or closes it during an `idempotent` request, another address of
        the service gets the request. If the request times out, and no address has answered anything for a
        while, the breaker opens at once: each further request to a service that hangs would time out, too.

        Raises:
            BreakerOpen: the service failed too often just now.
            RequestFailed: no address responded; see `HttpClient.request`.
        """

        async def send(address: ServiceAddress) -> HttpResponse:
            with address.request() as http:
                return await http.request(method, target, headers, body, idempotent=idempotent)

        return await self._attempt(service, send, idempotent)

    async def open(
        self,
        service: str,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        idempotent: bool = False,
    ) -> HttpResponse | HttpStream:
        """Send a request as `request` does. A response that does not say its length is a stream.

        The caller closes the stream. The request counts as outstanding until then.

        Raises: as `request`, before the first bytes of the response.
        """

        async def send(address: ServiceAddress) -> HttpResponse | HttpStream:
            with ExitStack() as stack:
                http = stack.enter_context(address.request())
                response = await http.open(method, target, headers, body, idempotent=idempotent)
                if isinstance(response, HttpStream):
                    response.opened.push(stack.pop_all())
                return response

        return await self._attempt(service, send, idempotent)

    async def _attempt(
        self, service: str, send: Callable[[ServiceAddress], Awaitable[R]], idempotent: bool
    ) -> R:
        """Send a request, and note in the breaker of the service whether it responded."""
        with self._breakers[service].attempt():
            try:
                return await self._send(service, send, idempotent)
            except RequestTimedOut:
                if all(each.is_silent for each in self._addresses(service)):
                    self._breakers[service].open()
                raise

    async def _send(
        self, service: str, send: Callable[[ServiceAddress], Awaitable[R]], idempotent: bool
    ) -> R:
        """Send a request to one address after the other until one responds, as `request` says."""
        tried: list[ServiceAddress] = []
        while True:
            address = self._choose(service, tried)
            try:
                response = await send(address)
                if closes_connection(response):
                    address.check_soon()
                return response
            except (NotConnected, ConnectionLost) as error:
                tried.append(address)
                if isinstance(error, NotConnected):
                    address.mark(False)
                elif not idempotent:
                    raise
                if not self._untried(service, tried):
                    raise

    def snapshot(self) -> dict[str, ServiceState]:
        """Return the addresses of each service and the state of its breaker, as this process sees them."""
        return {
            service: {
                "addresses": [
                    {
                        "url": each.url,
                        "address": each.address,
                        "healthy": each.healthy,
                        "outstanding": each.outstanding,
                    }
                    for each in self._addresses(service)
                ],
                "breaker": self._breakers[service].state.name.lower(),
            }
            for service in SERVICES
        }

    def _addresses(self, service: str) -> list[ServiceAddress]:
        return [each for url in self._bases[service] for each in self._by_url[url].all]

    def _untried(self, service: str, tried: Sequence[ServiceAddress]) -> list[ServiceAddress]:
        return [each for each in self._addresses(service) if each not in tried]

    def _choose(self, service: str, tried: Sequence[ServiceAddress]) -> ServiceAddress:
        """Return the least busy healthy address that was not tried; if none is healthy, one of the others."""
        untried = self._untried(service, tried)
        candidates = [each for each in untried if each.healthy] or untried
        fewest = min(each.outstanding for each in candidates)
        return self._random.choice([each for each in candidates if each.outstanding == fewest])


def _from_setting(settings: Settings) -> ServiceUrls:
    try:
        return parse_service_urls(settings.service_urls, SERVICES)
    except UserError as error:
        raise UserError(f"setting SOUK_SERVICE_URLS: {error}") from error
