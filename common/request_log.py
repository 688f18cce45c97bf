"""Logs requests: those that change something, fail, or are slow."""

import structlog
from starlette.types import Scope

from common.problems import PROBLEM, ErrorDescription

log = structlog.get_logger()

SLOW_S = 1.0
"""Reading requests that take longer are logged, too."""

QUIET_ROUTES = frozenset({"/v1/events"})
"""Frequent routes, whose successful requests are not logged: their events are in Kafka."""

PROBES = ("/health", "/ready", "/metrics")
"""Routes that machines ask regularly. They are no traffic of people.

They are never logged: a 503 of `/ready` is an answer, which may be requested every second.
"""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def log_request(scope: Scope, status: int, seconds: float) -> None:
    """Log a request that has ended, if an operator may look for it.

    The line has the route and not the path, which may contain personal data. `scope` is the request's ASGI
    scope, to which the router has added the route; `status` is 0 if the client left before the response. The
    line about a request that failed with a `Problem` says why.
    """
    method = scope["method"]
    route = getattr(scope.get("route"), "path", "other")
    if route in PROBES:
        return
    if status < 500 and seconds < SLOW_S and (method in _READING or route in QUIET_ROUTES):
        return
    problem: ErrorDescription | None = scope.get(PROBLEM) if status >= 500 else None
    order_id = scope.get("path_params", {}).get("order_id")
    (log.error if status >= 500 else log.info)(
        "request",
        method=method,
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 1),
        **({"order_id": order_id} if order_id else {}),
        **({"problem": problem.kind, "reason": problem.detail} if problem else {}),
    )
