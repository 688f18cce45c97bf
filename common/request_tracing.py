"""The span of an HTTP request: the root of its trace, or a child of the span of the caller."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Scope

from common import correlation
from common.tracing import Span, trace_span


@contextmanager
def request_span(scope: Scope, service: str) -> Iterator[Span | None]:
    """Open the span of a request after `correlation.begin(scope)`; yield None if its trace is not recorded.

    Within the block, `traceparent` in the scope, and in the headers of requests to other services, is that of
    the span. `service` is the service until an endpoint says which one it belongs to.
    """
    trace_id, parent_id = correlation.caller_of(scope)
    with trace_span(service, scope["method"], "server", trace_id, parent_id) as span:
        if span is not None:
            correlation.continue_trace(scope, span.traceparent)
        try:
            yield span
        finally:
            if span is not None:
                route = getattr(scope.get("route"), "path", "")
                span.name = f"{scope['method']} {route}".rstrip()
                span.attributes |= {"http.request.method": scope["method"], "http.route": route}
                if order_id := scope.get("path_params", {}).get("order_id"):
                    span.attributes["order.id"] = str(order_id)
