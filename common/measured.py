"""One HTTP request as the metrics see it: which route, which method, what status, how long."""

from time import perf_counter

from starlette.datastructures import Headers
from starlette.types import Message, Scope

from common.metrics import HTTP_REQUESTS, HTTP_SECONDS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that the metrics name; whatever else someone makes up is `other`."""

STREAM = "text/event-stream"
"""The type of an answer that goes on for as long as somebody listens: its end says nothing about speed."""


class MeasuredRequest:
    """A request that is being answered; begins when it is made. `status` is 0 until the answer has begun.

    It took until the end of its answer, a stream of events until the head of it.
    """

    def __init__(self, method: str) -> None:
        self._method = method if method in METHODS else "other"
        self._started = perf_counter()
        self._streams_after_s: float | None = None
        self.status = 0

    def hear(self, message: Message) -> None:
        """Take note of a message of the answer, before it is sent."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if Headers(raw=message.get("headers", [])).get("content-type", "").startswith(STREAM):
                self._streams_after_s = perf_counter() - self._started

    def count(self, scope: Scope) -> None:
        """The answer has ended, or nothing became of it. `scope` is the one that the router has seen."""
        route = getattr(scope.get("route"), "path", "other")
        HTTP_REQUESTS.labels(route, self._method, self.status or 500).inc()
        took_s = perf_counter() - self._started if self._streams_after_s is None else self._streams_after_s
        HTTP_SECONDS.labels(route).observe(took_s)
