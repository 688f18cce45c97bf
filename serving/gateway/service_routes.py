"""Sends requests to the commerce services, to the healthy address with the fewest outstanding requests."""

import asyncio
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Literal, Self, get_args

from typing_extensions import TypedDict

from common.errors import UserError
from common.http_client import ConnectionLost, HttpResponse, NotConnected, RequestFailed
from common.settings import Settings
from serving.gateway.circuit_breaker import BreakerSettings, CircuitBreaker
from serving.gateway.service_addresses import Resolve, ServiceAddress, ServiceAddresses, resolve_host

Service = Literal["orders", "inventory", "payments", "users", "sellers", "configuration", "alerts"]
SERVICES: tuple[Service, ...] = get_args(Service)


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
        """Read the routes from `service_urls`.

        Raises:
            UserError: `service_urls` has a name that is not that of a service.
        """
        if unknown := sorted(set(settings.service_urls) - set(SERVICES)):
            known = ", ".join(SERVICES)
            raise UserError(f"setting SOUK_SERVICE_URLS: {unknown[0]!r} is no service; there are {known}")
        self._random = random or Random()
        self._resolve = resolve
        self._bases = {service: settings.service_bases(service) for service in SERVICES}
        self._breakers = {service: CircuitBreaker(service, (RequestFailed,), breaker) for service in SERVICES}
        self._by_url: dict[str, ServiceAddresses] = {}

    async def __aenter__(self) -> Self:
        for url in dict.fromkeys(url for urls in self._bases.values() for url in urls):
            using = [self._breakers[service] for service, urls in self._bases.items() if url in urls]
            addresses = ServiceAddresses(url, partial(_end_open_periods, using), self._resolve)
            self._by_url[url] = addresses
            addresses.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(addresses.aclose() for addresses in self._by_url.values()))

    async def request(
        self,
        service: Service,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        idempotent: bool = False,
    ) -> HttpResponse:
        """Send a request to a service, and return its response.

        If an address refuses the connection, or closes it during an `idempotent` request, another address of
        the service gets the request.

        Raises:
            BreakerOpen: the service failed too often just now.
            RequestFailed: no address responded; see `HttpClient.request`.
        """
        with self._breakers[service].attempt():
            tried: list[ServiceAddress] = []
            while True:
                address = self._choose(service, tried)
                try:
                    with address.request() as http:
                        return await http.request(method, target, headers, body, idempotent=idempotent)
                except (NotConnected, ConnectionLost) as error:
                    tried.append(address)
                    if isinstance(error, NotConnected):
                        address.mark(False)
                    elif not idempotent:
                        raise
                    if len(tried) >= len(self._addresses(service)):
                        raise

    def snapshot(self) -> dict[Service, ServiceState]:
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

    def _addresses(self, service: Service) -> list[ServiceAddress]:
        return [each for url in self._bases[service] for each in self._by_url[url].all]

    def _choose(self, service: Service, tried: Sequence[ServiceAddress]) -> ServiceAddress:
        """Return the least busy healthy address that was not tried; if none is healthy, one of the others."""
        untried = [each for each in self._addresses(service) if each not in tried]
        candidates = [each for each in untried if each.healthy] or untried
        fewest = min(each.outstanding for each in candidates)
        return self._random.choice([each for each in candidates if each.outstanding == fewest])


def _end_open_periods(breakers: Sequence[CircuitBreaker]) -> None:
    """Let services that answer health checks again be tried at once."""
    for breaker in breakers:
        breaker.end_open_period()
