"""uvicorn's HTTP protocol with deadlines for a request's headers and for its body."""

import asyncio

from starlette.requests import Request
from starlette.types import Scope

from common.http_protocol import DeadlineProtocol
from common.problems import Problem, describe_problem, problem_response

BODY_TIMEOUT_S = 10.0
"""How long a client may take from the end of a request's headers to the end of its body, if it sends
less than `MIN_BYTES_PER_S`."""

MIN_BYTES_PER_S = 64 * 1024
"""A body that comes at this rate, such as a picture from a phone, may take longer. What an application reads
of a body is limited, and so is the time of a request."""

CLIENT_CLOSED = 499
"""The status in metrics for a request whose client disconnected before the response, as in nginx."""

_IS_LATE = "souk.body_is_late"


class BodyTooSlow(Problem):
    """The client did not send the whole body in time."""

    status, kind, title = 408, "body-too-slow", "The body came too slowly"

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            f"The body did not arrive within {timeout_s:g} s, and came at less than "
            f"{MIN_BYTES_PER_S >> 10} KB a second. Send the whole request again."
        )


class BodyDeadlineProtocol(DeadlineProtocol):
    """Responds 408 and closes the connection if a request's body is not complete in time, and comes slowly.

    The application sees a client that has disconnected, so it does not act on half of a body. A connection
    whose response was sent before the body was complete is closed, too. This is for servers with short
    bodies. Pass the class to `uvicorn.Config` as `http`.
    """

    body_timeout_s = BODY_TIMEOUT_S
    _body_deadline: asyncio.TimerHandle | None = None
    _in_body = False
    _body_bytes = 0
    """Bytes of the body since the deadline was started last."""

    def data_received(self, data: bytes) -> None:
        """Start the deadline if the body is not complete yet."""
        super().data_received(data)
        if self._in_body and self._body_deadline is None:
            self._start_body_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._end_body()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Record that the body begins."""
        super().on_headers_complete()
        self._in_body = self.cycle is not None and self.cycle.scope is self.scope  # not for a WebSocket

    def on_body(self, body: bytes) -> None:
        """Count the bytes of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Cancel the deadline, because the body is complete. Close the connection if the body was refused."""
        is_refused = self._in_body and self.cycle.scope.get(_IS_LATE)
        self._end_body()
        if is_refused:
            self.transport.close()
        else:
            super().on_message_complete()

    def _start_body_deadline(self) -> None:
        self._body_bytes = 0
        self._body_deadline = self.loop.call_later(self.body_timeout_s, self._end_late_body)

    def _end_body(self) -> None:
        self._in_body = False
        if self._body_deadline is not None:
            self._body_deadline.cancel()
            self._body_deadline = None

    def _end_late_body(self) -> None:
        self._body_deadline = None
        cycle = self.cycle
        if cycle.response_complete:
            self.transport.abort()
        elif cycle.response_started:
            cycle.keep_alive = False  # closes the connection at the end of the response
        elif self.flow.read_paused or cycle.waiting_for_100_continue:
            self._start_body_deadline()  # this server delays the body, not the client
        elif self._body_bytes >= MIN_BYTES_PER_S * self.body_timeout_s:
            self._start_body_deadline()  # it comes, if slowly
        else:
            self._refuse_late_body()

    def _refuse_late_body(self) -> None:
        scope: Scope = self.cycle.scope  # type: ignore[assignment]
        scope[_IS_LATE] = True
        response = problem_response(Request(scope), describe_problem(BodyTooSlow(self.body_timeout_s)))
        response.headers["Connection"] = "close"
        head = b"".join(b"%b: %b\r\n" % header for header in response.raw_headers)
        self.transport.write(b"HTTP/1.1 408 Request Timeout\r\n%b\r\n%b" % (head, bytes(response.body)))
        self.cycle.disconnected = self.cycle.response_complete = True
        self.cycle.message_event.set()
        # Closing now would reset the connection of a client that still sends, which may lose the response.
        self.transport.write_eof()
        self._start_body_deadline()


def status_of_disconnect(scope: Scope) -> int:
    """Return the status in metrics for a request that ended with `ClientDisconnect` before its response."""
    return BodyTooSlow.status if scope.get(_IS_LATE) else CLIENT_CLOSED
