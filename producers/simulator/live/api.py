"""Sends the requests of shoppers and sellers to the API, and counts responses, response times and errors.

A response time includes the time that the request was queued.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Self

import orjson

from common.errors import Retryable, SoukError
from common.http_client import HttpClient, RequestFailed
from common.retry_policy import is_safe_to_retry
from common.timeouts import CLIENT_KEEPALIVE_S
from producers.simulator.status import SimulatorStatus

MAX_CONCURRENT = 16
"""Limit of concurrent requests of each endpoint, so that a slow endpoint does not delay the others."""

MAX_QUEUED = 1_000
"""Limit of queued requests of each endpoint. Further requests fail."""

UNLIMITED = 0
"""The client needs no limit of connections, because `MAX_CONCURRENT` limits the requests."""

RESPONSE_TIMEOUT_S = 30.0
"""Timeout of connecting and of each part of a response. It is shorter than that of browsers.

The time in the queue has no limit, because visits pause while queues are long (load_controller.py).
"""

_JSON = ("content-type", "application/json")


class RequestRejected(SoukError):
    """The API rejects the request. A retry would be rejected again."""


class ApiUnavailable(Retryable):
    """The API does not respond, or responds with 5xx or 429. The request may have had an effect."""


class EventPending(ApiUnavailable):
    """A service has not received the event that the request needs. This does not count as an error."""


PENDING = ("not-listed", "unknown-listing", "unknown-line", "not-delivered")
"""The types of the problems that say so: of a listing in inventory and in products, and of an order and a
delivery in reviews."""


class ShopApi:
    """A client of the API at one address. Use it as an async context manager.

    `own_headers`: see `HttpClient`.
    """

    def __init__(
        self, url: str, status: SimulatorStatus, own_headers: Callable[[], Mapping[str, str]] | None = None
    ) -> None:
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(MAX_CONCURRENT)
        )
        self._in_flight: Counter[str] = Counter()
        self.unanswered = 0
        """Requests without a response, or with a 5xx or 429."""
        self._status = status
        self._http = HttpClient(
            url, UNLIMITED, CLIENT_KEEPALIVE_S, RESPONSE_TIMEOUT_S, RESPONSE_TIMEOUT_S, own_headers
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    @property
    def queued(self) -> int:
        """The number of queued requests of the endpoint with the longest queue."""
        return max(0, max(self._in_flight.values(), default=0) - MAX_CONCURRENT)

    async def request(
        self,
        endpoint: str,
        method: str,
        target: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        repeatable: bool = False,
    ) -> Any:
        """Return the JSON of a successful response. The status counts it under the name `endpoint`.

        A request that is safe to retry, or declared `repeatable`, is sent once more if its connection breaks.
        The status counts errors by kind; the kind of a 4xx has the problem's type.

        Raises:
            ApiUnavailable: no response, a 5xx or 429, or too many queued requests.
            RequestRejected: another 4xx.
        """
        if self._in_flight[endpoint] >= MAX_CONCURRENT + MAX_QUEUED:
            raise self._unavailable(endpoint, "too many requests under way")
        content = None if body is None else orjson.dumps(body)
        repeatable = repeatable or is_safe_to_retry(method, "idempotency-key" in (headers or {}))
        self._in_flight[endpoint] += 1
        started_s = perf_counter()
        try:
            async with self._slots[endpoint]:
                answer = await self._http.request(
                    method, target, [_JSON, *(headers or {}).items()], content, idempotent=repeatable
                )
        except RequestFailed as error:
            raise self._unavailable(endpoint, f"no answer ({error})") from error
        finally:
            self._in_flight[endpoint] -= 1
        if answer.status >= 400:
            kind = f"HTTP {answer.status} {_problem_type(answer.content)}".rstrip()
            if answer.status >= 500 or answer.status == 429:
                raise self._unavailable(endpoint, kind)
            if kind.endswith(PENDING):
                raise EventPending(kind)
            self._status.record_error(endpoint, kind)
            raise RequestRejected(kind)
        self._status.record_response(endpoint, perf_counter() - started_s)
        return orjson.loads(answer.content)

    def _unavailable(self, endpoint: str, kind: str) -> ApiUnavailable:
        """Count the error and return it."""
        self.unanswered += 1
        self._status.record_error(endpoint, kind)
        return ApiUnavailable(kind)


def _problem_type(content: bytes) -> str:
    """Return the type of a problem+json body, such as `price-moved`; empty if the body is something else."""
    try:
        return str(orjson.loads(content)["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        return ""
