"""Asks the API as shoppers and sellers do, and keeps count of answers, their times, and what went wrong.

The time of an answer counts from when it is wanted, its wait for a turn included.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Self

import orjson

from common.errors import Retryable, SoukError
from common.http_client import HttpClient, NoAnswer
from common.patience import CLIENTS_KEEP_S
from common.repeating import is_repeatable
from producers.simulator.status import Status

AT_ONCE = 16
"""Requests of one endpoint that are under way at once, so that a slow one does not hold up the others."""

MOST_WAITING = 1_000
"""Requests of one endpoint that wait for that; whoever comes then is told that the API is away."""

ANY_NUMBER = 0
"""Of connections: requests wait by endpoint."""

SHOPPER_WAITS_S = 30.0
"""Longest wait for a connection, and for the answer to begin or to go on: a browser's is longer. The wait for
a turn before it has no bound of its own: where it is long, shoppers stand still (`tempo`)."""

_JSON = ("content-type", "application/json")


class Refused(SoukError):
    """The API does not take this, now or later."""


class Away(Retryable):
    """The API does not answer, or not now; nothing may have been done."""


class Api:
    """The API at one address. Use it as an async context manager."""

    def __init__(self, url: str, status: Status) -> None:
        self._free: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._under_way: Counter[str] = Counter()
        self.unanswered = 0
        """Requests that were not answered, or with a 5xx or 429."""
        self._status = status
        self._http = HttpClient(url, ANY_NUMBER, CLIENTS_KEEP_S, SHOPPER_WAITS_S, SHOPPER_WAITS_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn, of the endpoint with most of them."""
        return max(0, max(self._under_way.values(), default=0) - AT_ONCE)

    async def ask(
        self,
        endpoint: str,
        method: str,
        target: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        repeatable: bool = False,
    ) -> Any:
        """The JSON of a good answer; `endpoint` is the name under which it is counted.

        What may be repeated, by what it is or because it is said to be `repeatable`, is sent once more where
        its connection breaks.

        Raises:
            Away: no answer, or a 5xx or 429, or too many requests are under way; counted.
            Refused: another 4xx; counted with the problem's kind.
        """
        if self._under_way[endpoint] >= AT_ONCE + MOST_WAITING:
            raise self._away(endpoint, "too many requests under way")
        content = None if body is None else orjson.dumps(body)
        repeatable = repeatable or is_repeatable(method, "idempotency-key" in (headers or {}))
        self._under_way[endpoint] += 1
        began = perf_counter()
        try:
            async with self._free[endpoint]:
                answer = await self._http.ask(
                    method, target, [_JSON, *(headers or {}).items()], content, repeatable=repeatable
                )
        except NoAnswer as error:
            raise self._away(endpoint, f"no answer ({error})") from error
        finally:
            self._under_way[endpoint] -= 1
        if answer.status >= 400:
            kind = f"HTTP {answer.status} {_problem(answer.content)}".rstrip()
            if answer.status >= 500 or answer.status == 429:
                raise self._away(endpoint, kind)
            self._status.failed(endpoint, kind)
            raise Refused(kind)
        self._status.answered(endpoint, perf_counter() - began)
        return orjson.loads(answer.content)

    def _away(self, endpoint: str, kind: str) -> Away:
        """Count that, and return the error to raise."""
        self.unanswered += 1
        self._status.failed(endpoint, kind)
        return Away(kind)


def _problem(content: bytes) -> str:
    """The kind of a problem+json, such as price-moved."""
    try:
        return str(orjson.loads(content)["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        return ""
