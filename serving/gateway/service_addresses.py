"""The addresses of one base URL of a service, which of them answer, and how busy each is."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from time import monotonic
from urllib.parse import urlsplit

import structlog

from common.http_client import HttpClient, RequestFailed
from common.timeouts import CLIENT_KEEPALIVE_S, PEER_TIMEOUT_S

CONNECTIONS = 64
"""The largest number of requests to one address at the same time. A further one waits for a connection."""

RESOLVE_INTERVAL_S = 10.0
HEALTHY_INTERVAL_S, UNHEALTHY_INTERVAL_S = 5.0, 1.0
"""Seconds between two health checks of an address."""

CHECK = "/ready?exclude=parts"
"""Is 503 once the process is stopping, and not while a server is away that all addresses share."""

HEALTH_TIMEOUT_S = 1.0
SILENT_AFTER_S = PEER_TIMEOUT_S
"""An address is silent once it has answered neither a request nor a health check for this time."""

RESOLVE_TIMEOUT_S = 5.0
ROUND_S = 0.25
"""How often it is checked which resolution or health check is due."""

Resolve = Callable[[str], Awaitable[list[str]]]
"""Returns the IP addresses of a host name. Raises OSError if it has none."""

log = structlog.get_logger()


async def resolve_host(host: str) -> list[str]:
    """Return all IPv4 and IPv6 addresses of a host name.

    Raises:
        OSError: the name can't be resolved now.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class ServiceAddress:
    """One address of a service, with its connections. It counts as healthy until it fails."""

    def __init__(self, url: str, address: str | None) -> None:
        """`address` is the IP address; None: the one to which the host in `url` resolves."""
        self.url, self.address = url, address
        self.healthy = True
        self.outstanding = 0
        self.http = HttpClient(
            url, CONNECTIONS, CLIENT_KEEPALIVE_S, PEER_TIMEOUT_S, PEER_TIMEOUT_S, address=address
        )
        # Connections of its own: those for requests may all be in use.
        self._health = HttpClient(
            url, 1, CLIENT_KEEPALIVE_S, HEALTH_TIMEOUT_S, HEALTH_TIMEOUT_S, address=address
        )
        self._check_at = self._answered_at = monotonic()
        self._is_dropped = False
        self._closing: asyncio.Task[None] | None = None

    @contextmanager
    def request(self) -> Iterator[HttpClient]:
        """Yield the client for one request, which counts as outstanding until the block ends."""
        self.outstanding += 1
        try:
            yield self.http
            self._answered_at = monotonic()
        finally:
            self.outstanding -= 1
            if self._is_dropped and not self.outstanding:
                self._closing = asyncio.ensure_future(self.aclose())

    @property
    def is_silent(self) -> bool:
        """Whether its health checks fail, and it has answered nothing at all for `SILENT_AFTER_S`."""
        return not self.healthy and monotonic() - self._answered_at >= SILENT_AFTER_S

    def mark(self, healthy: bool) -> None:
        """Set whether the address answers, and when it is checked next."""
        if healthy != self.healthy:
            log.info("an address of a service changed", url=self.url, server=self.address, healthy=healthy)
        self.healthy = healthy
        self._check_at = monotonic() + (HEALTHY_INTERVAL_S if healthy else UNHEALTHY_INTERVAL_S)

    def check_soon(self) -> None:
        """Make a health check due: the server closes connections, perhaps because it is stopping."""
        self._check_at = min(self._check_at, monotonic())

    async def check(self) -> None:
        """Send a health check, if one is due."""
        if monotonic() < self._check_at:
            return
        try:
            async with asyncio.timeout(HEALTH_TIMEOUT_S):
                response = await self._health.request("GET", CHECK, idempotent=True)
            self._answered_at = monotonic()
            self.mark(response.status < 400)
        except (RequestFailed, TimeoutError):
            self.mark(False)

    def drop(self) -> None:
        """Close the connections as soon as no request is outstanding."""
        self._is_dropped = True
        if not self.outstanding:
            self._closing = asyncio.ensure_future(self.aclose())

    async def aclose(self) -> None:
        """Close all connections."""
        await self.http.aclose()
        await self._health.aclose()


class ServiceAddresses:
    """The addresses of one base URL. A host name is resolved again every `RESOLVE_INTERVAL_S`."""

    def __init__(self, url: str, on_recovery: Callable[[], None], resolve: Resolve = resolve_host) -> None:
        """`on_recovery` is called when an address that did not answer answers again."""
        self._url = url
        self._host = urlsplit(url).hostname or ""
        self._on_recovery, self._resolve = on_recovery, resolve
        self._resolve_at = monotonic() if _is_name(self._host) else float("inf")
        self._watching: asyncio.Task[None] | None = None
        self.all: list[ServiceAddress] = [ServiceAddress(url, None)]
        """Never empty. A name that was not resolved yet is one address, which the HTTP client resolves."""

    def start(self) -> None:
        """Begin to resolve the name and to check the addresses."""
        self._watching = asyncio.create_task(self._watch())

    def drop(self) -> None:
        """Stop, and close the connections of each address as soon as no request to it is outstanding."""
        if self._watching:
            self._watching.cancel()
        for each in self.all:
            each.drop()

    async def aclose(self) -> None:
        """Stop, and close all connections."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await asyncio.gather(*(each.aclose() for each in self.all))

    async def _watch(self) -> None:
        while True:
            await self._refresh()
            unhealthy = [each for each in self.all if not each.healthy]
            await asyncio.gather(*(each.check() for each in self.all))
            if any(each.healthy for each in unhealthy):
                self._on_recovery()
            await asyncio.sleep(ROUND_S)

    async def _refresh(self) -> None:
        """Resolve the name, if that is due. While it can't be resolved, the addresses stay as they are."""
        if monotonic() < self._resolve_at:
            return
        self._resolve_at = monotonic() + RESOLVE_INTERVAL_S
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                found = await self._resolve(self._host)
        except OSError as error:
            log.warning("a service's name can't be resolved", url=self._url, reason=str(error))
            return
        known = {each.address: each for each in self.all}
        for address, each in known.items():
            if found and address not in found:
                each.drop()
        if found:
            self.all = [known.get(address) or ServiceAddress(self._url, address) for address in found]


def _is_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return True
    return False
