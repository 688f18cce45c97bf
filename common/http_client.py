"""An HTTP client for hundreds of requests a second to one server, on pooled connections."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

R = TypeVar("R")

SKIPPED_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add by itself. The caller decides which headers are sent."""


class RequestFailed(Exception):
    """No response arrived.

    The text is the kind of error. The server may or may not have handled the request.
    """


class NotConnected(RequestFailed):
    """No connection could be made, so the server has not seen the request."""


class RequestTimedOut(RequestFailed):
    """Connecting, or waiting for the response, exceeded its timeout."""


class ConnectionLost(RequestFailed):
    """The connection was closed during the request. A pooled connection may have been closed while idle."""


class HttpResponse(NamedTuple):
    """A response of any status. Header names keep the case that the server sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes


class HttpStream:
    """A response of unknown length whose first bytes have arrived. The rest is read while it is used.

    Less than 1 MB of it is in memory: while nobody reads, no more is taken from the connection.
    """

    def __init__(self, response: aiohttp.ClientResponse, first: bytes, opened: AsyncExitStack) -> None:
        self.status: int = response.status
        self.headers = response.raw_headers
        self.opened = opened
        """What ends with the stream."""
        self._response, self._first = response, first

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the content.

        Raises:
            RequestFailed: the connection was closed before the end, or no byte came for too long.
        """
        yield self._first
        try:
            while part := await self._response.content.readany():
                yield part
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(error) from error

    async def aclose(self) -> None:
        """Release the connection, which is closed unless the response was read to its end."""
        await self.opened.aclose()


def closes_connection(response: "HttpResponse | HttpStream") -> bool:
    """Return whether the server has closed the connection after this response."""
    return any(
        name.lower() == b"connection" and value.lower() == b"close" for name, value in response.headers
    )


class HttpClient:
    """Sends requests to one server over at most `max_connections` at once (0: no limit).

    An idle connection is closed after `keepalive_s`. `address` is the IP address to connect to instead of
    those to which the URL's host resolves. `own_headers` returns headers that are added to each request.
    Create and close the client in the same running event loop. It ignores cookies, redirects and proxies, and
    sends only `idempotent` requests a second time.
    """

    def __init__(
        self,
        url: str,
        max_connections: int,
        keepalive_s: float,
        connect_timeout_s: float,
        read_timeout_s: float,
        own_headers: Callable[[], Mapping[str, str]] | None = None,
        address: str | None = None,
    ) -> None:
        self._own_headers = own_headers
        self._url = url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=max_connections,
                keepalive_timeout=keepalive_s,
                resolver=FixedResolver([address]) if address else None,
            ),
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_timeout_s, sock_read=read_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=SKIPPED_HEADERS,
            auto_decompress=False,
            middlewares=(_send_once,),
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def request(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        idempotent: bool = False,
    ) -> HttpResponse:
        """Send one request and return the response.

        `target` is the path and query, already percent-encoded; it is sent unchanged. An `idempotent` request
        is sent a second time if its connection was closed during the first attempt.

        Raises:
            RequestTimedOut: connecting took too long, or no byte of the response came for too long.
            ConnectionLost: the connection was closed before the end of the response.
            NotConnected: the server refuses connections.
            RequestFailed: the response is not valid HTTP.
        """

        async def send() -> HttpResponse:
            async with self._respond(method, target, headers, body) as response:
                return await _whole(response)

        return await _repeated(send, idempotent)

    async def open(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        idempotent: bool = False,
    ) -> HttpResponse | HttpStream:
        """Send one request as `request` does. A response that does not say its length is a stream.

        The caller closes the stream. An error before its first bytes is raised here, a later one by `parts`.
        """

        async def send() -> HttpResponse | HttpStream:
            async with AsyncExitStack() as stack:
                response = await stack.enter_async_context(self._respond(method, target, headers, body))
                if response.content_length is None and (first := await response.content.readany()):
                    return HttpStream(response, first, stack.pop_all())
                return await _whole(response)

        return await _repeated(send, idempotent)

    @asynccontextmanager
    async def _respond(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the response to one request, and turn aiohttp's errors in the block into ours."""
        url = URL(self._url + target, encoded=True)
        sent = [*headers, *self._own_headers().items()] if self._own_headers else headers
        try:
            async with self._session.request(
                method, url, headers=sent, data=body, allow_redirects=False
            ) as response:
                yield response
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(error) from error


async def _whole(response: aiohttp.ClientResponse) -> HttpResponse:
    return HttpResponse(response.status, response.raw_headers, await response.read())


async def _repeated(send: Callable[[], Awaitable[R]], idempotent: bool) -> R:
    """Send, and once more if the connection of an `idempotent` request was closed."""
    try:
        return await send()
    except ConnectionLost:
        if not idempotent:
            raise
        return await send()


class FixedResolver(AbstractResolver):
    """Resolves every host to the same IP addresses. The `Host` header and TLS use the name in the URL."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002
    ) -> list[ResolveResult]:
        """Return the addresses."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a request and turn aiohttp's errors into ours.

    aiohttp retries a PUT by itself after its own errors; it does not retry after ours.
    """
    try:
        return await send(request)
    except (aiohttp.ClientError, OSError) as error:
        raise _failure(error) from error


def _failure(error: Exception) -> RequestFailed:
    kind = type(error).__name__
    if isinstance(error, TimeoutError):
        return RequestTimedOut(kind)
    if isinstance(error, aiohttp.ClientConnectorError):
        return NotConnected(kind)
    broken = (OSError, aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)
    return ConnectionLost(kind) if isinstance(error, broken) else RequestFailed(kind)
