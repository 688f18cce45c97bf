"""Measures one HTTP request for the metrics and the log: route, method, status and duration."""

from time import perf_counter

from starlette.datastructures import Headers
from starlette.types import Message, Scope

from common.metrics import HTTP_REQUESTS, HTTP_SECONDS
from common.request_log import log_request

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that the metrics name. Every other method counts as `other`, which bounds the number of series."""

STREAM = "text/event-stream"
"""Content type of a response that lasts until the client disconnects; its duration is no measure of speed."""


class RequestMetrics:
    """Measures a request from the creation of this object to the end of the response.

    For a stream of events, the measurement ends with the response's head. `status` is 0 until the response
    has begun.
    """

    def __init__(self, method: str) -> None:
        self._method = method if method in METHODS else "other"
        self._started = perf_counter()
        self._stream_head_after_s: float | None = None
        self.status = 0

    def observe(self, message: Message) -> None:
        """Read the status and the content type from an ASGI message. Call it before the message is sent."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if Headers(raw=message.get("headers", [])).get("content-type", "").startswith(STREAM):
                self._stream_head_after_s = perf_counter() - self._started

    def record(self, scope: Scope, service: str = "") -> None:
        """Add the request to the metrics and the log when the response has ended or failed.

        `scope` is the request's ASGI scope, to which the router has added the route. `service` is the
        commerce service of the route.
        """
        route = getattr(scope.get("route"), "path", "other")
        HTTP_REQUESTS.labels(service, route, self._method, self.status or 500).inc()
        elapsed_s = perf_counter() - self._started
        measured_s = elapsed_s if self._stream_head_after_s is None else self._stream_head_after_s
        HTTP_SECONDS.labels(service, route).observe(measured_s)
        log_request(scope, self.status, measured_s)
