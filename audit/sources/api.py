"""Asks the API many questions at once, as a client would, over a few connections."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from common.errors import PartUnavailable

_AT_ONCE = 16
_TIMEOUT_S = 60.0

Row = dict[str, Any]
Progress = Callable[[str, int, int], None]
"""Called with (what is asked, answers so far, answers in all)."""


@dataclass(frozen=True)
class Question:
    """One GET: a path below the API's base URL and its query."""

    path: str
    query: dict[str, str] = field(default_factory=dict)


class Api:
    """The API at `url`. Memory: what `shape` keeps of each answer, and 16 answers under way."""

    def __init__(self, url: str, progress: Progress) -> None:
        self._url = url
        self._progress = progress

    def ask(self, questions: list[Question], shape: Callable[[Any], Iterable[Row]]) -> list[Row]:
        """Ask every question; the rows that `shape` makes of the answers (parsed JSON), in any order.

        Raises:
            PartUnavailable: the API does not answer, or answers with an error.
        """
        try:
            return asyncio.run(self._ask(questions, shape))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _ask(self, questions: list[Question], shape: Callable[[Any], Iterable[Row]]) -> list[Row]:
        rows: list[Row] = []
        waiting = iter(questions)
        done = 0

        async def work(http: httpx.AsyncClient) -> None:
            nonlocal done
            for question in waiting:
                rows.extend(shape(await self._answer(http, question)))
                done += 1
                if done % 50 == 0 or done == len(questions):
                    self._progress("API", done, len(questions))

        limits = httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE)
        async with (
            httpx.AsyncClient(base_url=self._url, limits=limits, timeout=_TIMEOUT_S) as http,
            asyncio.TaskGroup() as workers,
        ):
            for _ in range(_AT_ONCE):
                workers.create_task(work(http))
        return rows

    async def _answer(self, http: httpx.AsyncClient, question: Question) -> Any:
        try:
            answer = await http.get(question.path, params=question.query)
        except httpx.HTTPError as error:
            raise PartUnavailable(f"the API at {self._url} does not answer: {error}") from error
        if answer.is_error:
            raise PartUnavailable(
                f"the API at {self._url} answered {answer.status_code} to {answer.request.url}: "
                f"{answer.text[:200]}"
            )
        return orjson.loads(answer.content)
