"""One HTTP request as the metrics see it: which route, which method, what status, how long."""

from time import perf_counter

from starlette.types import Message, Scope

from common.metrics import HTTP_REQUESTS, HTTP_SECONDS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that the metrics name; whatever else someone makes up is `other`."""


class MeasuredRequest:
    """A request that is being answered; begins when it is made. `status` is 0 until the answer has begun."""

    def __init__(self, method: str) -> None:
        self._method = method if method in METHODS else "other"
        self._started = perf_counter()
        self.status = 0

    def hear(self, message: Message) -> None:
        """Take note of a message of the answer, before it is sent."""
        if message["type"] == "http.response.start":
            self.status = message["status"]

    def count(self, scope: Scope) -> None:
        """The answer has ended, or nothing became of it. `scope` is the one that the router has seen."""
        route = getattr(scope.get("route"), "path", "other")
        HTTP_REQUESTS.labels(route, self._method, self.status or 500).inc()
        HTTP_SECONDS.labels(route).observe(perf_counter() - self._started)
