"""uvicorn's HTTP protocol with a deadline for a request's line and headers."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_TIMEOUT_S = 10.0
"""How long a client may take from the connection, or a request's first byte, to the end of its headers."""


class DeadlineProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers are not complete in time.

    uvicorn itself closes only connections that are idle after a response. A connection without a request, or
    with half of one, would stay open forever. Pass the class to `uvicorn.Config` as `http`.
    """

    head_timeout_s = HEAD_TIMEOUT_S
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request."""
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._stop_deadline()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Start the deadline of a later request on the same connection."""
        super().on_message_begin()
        if self._deadline is None:
            self._start_deadline()

    def on_headers_complete(self) -> None:
        """Cancel the deadline, because the headers are complete."""
        self._stop_deadline()
        super().on_headers_complete()

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.head_timeout_s, self._close_late)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close_late(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:  # don't cut off an earlier response
            self.transport.abort()
