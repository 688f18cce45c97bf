"""Limits the time from a request's headers to the beginning of its response, by class of traffic.

At the limit, the request's task is cancelled: the load shedder counts the request as answered, and calls to
other servers end. A stream may last longer, because its response has begun by then.

A write that a service has received is not cut in half. The gateway only closes its connection to the service.
The service runs the endpoint to its end, and its transaction commits as a whole, events included, or not
at all (`producers/kit/outbox/transaction.py`). If the service had not received the whole body, it changes
nothing. The client can't know which, so it is told whether it may repeat the request: a request with an
`Idempotency-Key` takes effect once, however often it is sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from common.access_policy import TrafficClass
from common.metrics import REQUESTS_REFUSED
from common.problems import Problem
from common.retry_policy import is_safe_to_retry, retry_advice

TIME_LIMITS_S: dict[TrafficClass, float] = {
    "recommendation": 5.0,
    "page": 15.0,
    "read": 15.0,
    "write": 20.0,
    "sign_in": 25.0,
    "checkout": 25.0,
    "operations": 60.0,
}
"""Except that of recommendations, each exceeds `PEER_TIMEOUT_S`: if one server does not answer, the response
says which. All but that of operations are below the 30 s after which clients of ours give up."""


class TimeLimitExceeded(Problem):
    """The gateway did not get a response in time."""

    status, kind, title = 504, "time-limit-exceeded", "This took too long"

    def __init__(self, limit_s: float, method: str, has_key: bool) -> None:
        if is_safe_to_retry(method, has_key):
            self.retry_after_s = 2
        super().__init__(f"There was no response within {limit_s:g} s. {retry_advice(method, has_key)}")


class TimeLimits:
    """The time limits of one process."""

    def __init__(self, limits_s: Mapping[TrafficClass, float] = TIME_LIMITS_S) -> None:
        self._limits_s = limits_s

    async def run(
        self,
        traffic: TrafficClass,
        method: str,
        has_key: bool,
        respond: Callable[[], Awaitable[Response]],
    ) -> Response:
        """Return the response of `respond`. `has_key`: whether the request has an `Idempotency-Key`.

        Raises:
            TimeLimitExceeded: there was none in time; `respond` was cancelled.
        """
        limit_s = self._limits_s[traffic]
        try:
            async with asyncio.timeout(limit_s) as deadline:
                return await respond()
        except TimeoutError as error:
            if not deadline.expired():
                raise
            REQUESTS_REFUSED.labels(traffic, "time").inc()
            raise TimeLimitExceeded(limit_s, method, has_key) from error
