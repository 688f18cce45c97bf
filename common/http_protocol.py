"""The limits of every HTTP listener of ours: how large a request's head may be, how long it may take, and how
many connections there may be.

`server_config` makes the configuration of a server with these limits. No other module configures uvicorn.
"""

import asyncio
import resource
from functools import cache
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from common.timeouts import SERVER_KEEPALIVE_S

HEAD_TIMEOUT_S = 10.0
"""How long a client may take from the connection, or a request's first byte, to the end of its headers."""

MAX_HEAD_BYTES = 64 << 10
"""The largest request line with all headers, as in h11. A browser sends at most some 12 KB of cookies."""

MAX_HEADERS = 100
"""The largest number of headers and trailers of a request, as in Python's `http.client`."""

MAX_CONNECTIONS = 2_000
"""The largest number of connections of a process, if it may have twice as many files open."""

_HEADER_OVERHEAD = 4
"""`: ` and the end of the line."""


class _HeadTooLarge(Exception):
    """The head of a request exceeds a limit. httptools passes it on as its own error."""


class DeadlineProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with limits for a request's head, its time, and the number of connections.

    uvicorn itself closes only connections that are idle after a response: a connection without a request, or
    with half of one, would stay open forever. Its parser collects headers, and a header that does not end,
    without a limit. A head that is too large gets the response 431, and its connection is closed.

    A connection beyond the limit takes the place of one that has no request in work, or is closed itself.
    """

    head_timeout_s = HEAD_TIMEOUT_S
    max_head_bytes = MAX_HEAD_BYTES
    max_connections: int | None = None
    """None: `connection_limit()`."""
    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _head_count = 0
    _pending_bytes = 0
    """Bytes since the parser last completed a head or a message, or gave a part of a body."""
    _is_progress = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request, and make room if there are too many connections."""
        super().connection_made(transport)
        self._start_deadline()
        if len(self.connections) > (self.max_connections or connection_limit()):
            waiting = (each for each in self.connections if each is not self and not _is_working(each))
            next(waiting, self).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what was received. Refuse a head that does not end.

        Line ends before a request begin no message, and end uvicorn's own timeout of an idle connection.
        """
        self._is_progress = False
        super().data_received(data)
        # A request that was answered at once, as by a refusal, is no such case: its connection is idle.
        if self._deadline is None and not self._is_progress and not _is_working(self):
            self._start_deadline()
        self._pending_bytes = 0 if self._is_progress else self._pending_bytes + len(data)
        if self._pending_bytes > self.max_head_bytes and not self.transport.is_closing():
            self._refuse_head()

    def on_message_begin(self) -> None:
        """Start the deadline of a later request on the same connection."""
        super().on_message_begin()
        self._is_progress = True
        self._head_bytes = self._head_count = 0
        if self._deadline is None:
            self._start_deadline()

    def on_url(self, url: bytes) -> None:
        """Count the bytes of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, or a trailer."""
        self._head_count += 1
        self._count(len(name) + len(value) + _HEADER_OVERHEAD)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Cancel the deadline, because the headers are complete."""
        self._is_progress = True
        self._stop_deadline()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Record that a part of the body has come."""
        self._is_progress = True
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that the parser can't read, or whose head is too large."""
        if self._is_too_large:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    @property
    def _is_too_large(self) -> bool:
        return self._head_bytes > self.max_head_bytes or self._head_count > MAX_HEADERS

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._is_too_large:
            raise _HeadTooLarge

    def _refuse_head(self) -> None:
        if _is_working(self):  # its response has begun, or its body has trailers without an end
            self.transport.abort()
            return
        size = f"{self.max_head_bytes >> 10} KB"
        text = f"The request line with its headers may have {size} and {MAX_HEADERS} headers at most.\n"
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text.encode())
        )
        self.transport.close()

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.head_timeout_s, self._close_late)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close_late(self) -> None:
        self._deadline = None
        if not _is_working(self):  # don't cut off an earlier response
            self.transport.abort()


def server_config(
    app: Any, protocol: type[DeadlineProtocol] | str = DeadlineProtocol, **options: Any
) -> uvicorn.Config:
    """Return the configuration of a server with the limits of this module, and without uvicorn's logs.

    `app` and `protocol` may be names, `package.module:attribute`, which the processes of the server import.
    """
    return uvicorn.Config(
        app,
        http=protocol,
        timeout_keep_alive=SERVER_KEEPALIVE_S,
        access_log=False,
        log_config=None,
        server_header=False,
        **options,
    )


@cache
def connection_limit() -> int:
    """Return how many connections this process may have: half of its files, at most `MAX_CONNECTIONS`.

    The other half is for its files and its connections to other servers.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, files // 2)


def _is_working(connection: Any) -> bool:
    """Return whether a request of a connection has no complete response yet."""
    return connection.cycle is not None and not connection.cycle.response_complete
