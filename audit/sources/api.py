"""Sends many requests to the API over a few connections."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import stamina

from audit.sources.busy import StoreBusy
from common.errors import PartUnavailable
from common.principal_token import PlatformToken

_CONNECTIONS = 16
_TIMEOUT_S = 60.0
_BUSY = frozenset({429, 503, 504})
"""The statuses with which the API, or what it asks, has too much to do for the moment."""

_BUSY_FOR_S = 120.0
_BUSY_WAIT_S = 0.5

Row = dict[str, Any]
Progress = Callable[[str, int, int], None]
"""Called with (what is requested, responses so far, responses in total)."""


@dataclass(frozen=True)
class ApiRequest:
    """One GET: a path below the API's base URL and its query."""

    path: str
    query: dict[str, str] = field(default_factory=dict)


RowsOf = Callable[[ApiRequest, bytes], Iterable[Row]]
"""Makes rows of a request and the content of its response."""


class ApiClient:
    """A client of the API at `url`. Memory: the rows of all responses, and up to 16 responses."""

    def __init__(self, url: str, token: PlatformToken, progress: Progress) -> None:
        self._token = token
        self._url = url
        self._progress = progress

    def fetch(self, requests: list[ApiRequest], rows_of: Callable[[Any], Iterable[Row]]) -> list[Row]:
        """Send every request; return the rows that `rows_of` makes of the parsed responses, in any order.

        A request that a busy API refuses is sent again for two minutes.

        Raises:
            StoreBusy: the API still refuses a request then.
            PartUnavailable: the API does not answer, or answers with an error.
        """
        return self.fetch_content(requests, lambda _request, content: rows_of(orjson.loads(content)))

    def fetch_content(
        self, requests: list[ApiRequest], rows_of: RowsOf, at_once: int = _CONNECTIONS
    ) -> list[Row]:
        """Do what `fetch` does, with responses of any form, such as CSV or a page.

        Of requests that take long, send few `at_once`: many of them would all be refused by a busy API.
        """
        try:
            return asyncio.run(self._fetch(requests, rows_of, at_once))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _fetch(self, requests: list[ApiRequest], rows_of: RowsOf, at_once: int) -> list[Row]:
        rows: list[Row] = []
        remaining = iter(requests)
        done = 0

        async def work(http: httpx.AsyncClient) -> None:
            nonlocal done
            for request in remaining:
                rows.extend(rows_of(request, await self._answer(http, request)))
                done += 1
                if done % 50 == 0 or done == len(requests):
                    self._progress("API", done, len(requests))

        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        async with (
            httpx.AsyncClient(
                base_url=self._url, limits=limits, timeout=_TIMEOUT_S, auth=self._token
            ) as http,
            asyncio.TaskGroup() as workers,
        ):
            for _ in range(at_once):
                workers.create_task(work(http))
        return rows

    @stamina.retry(on=StoreBusy, attempts=None, timeout=_BUSY_FOR_S, wait_initial=_BUSY_WAIT_S)
    async def _answer(self, http: httpx.AsyncClient, request: ApiRequest) -> bytes:
        try:
            answer = await http.get(request.path, params=request.query)
        except httpx.HTTPError as error:
            raise PartUnavailable(f"the API at {self._url} does not answer: {error}") from error
        if answer.is_error:
            failure = StoreBusy if answer.status_code in _BUSY else PartUnavailable
            raise failure(
                f"the API at {self._url} answered {answer.status_code} to {answer.request.url}: "
                f"{answer.text[:200]}"
            )
        return answer.content
