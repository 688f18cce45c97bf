"""Last answers in a real Redis: another process finds them, and their number, size and age are bounded."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from redis import Redis
from typing_extensions import TypedDict

from common.settings import Settings
from serving.kit.cache import last_answers
from serving.kit.cache.last_answers import BYTES, INDEX, PREFIX, SIZES, TTL_MS, LastAnswers, Question
from serving.kit.problems import ClickHouseUnavailable
from serving.kit.redis_client import open_redis
from tests.integration.servers import TEST_TIMEOUT_S, Server

T = TypeVar("T")


class Figures(TypedDict):
    seller_id: str
    as_of: datetime
    stale: bool


SALES = Question[Figures]("sales", Figures)
AS_OF = datetime(2026, 11, 26, 14, 3, tzinfo=UTC)
Run = Callable[[Callable[[Callable[..., LastAnswers]], Awaitable[T]]], T]


async def figures(seller_id: str) -> Figures:
    return {"seller_id": seller_id, "as_of": AS_OF, "stale": False}


async def away(_seller_id: str) -> Figures:
    raise ClickHouseUnavailable("ClickHouse does not answer.")


@pytest.fixture
def run(redis_server: Server, monkeypatch: pytest.MonkeyPatch) -> Run[T]:
    """Runs a function with another one that makes the last answers of a process."""
    monkeypatch.setattr(last_answers, "PAUSE_S", 0.01)
    monkeypatch.setattr(last_answers, "TIMEOUT_S", float(TEST_TIMEOUT_S))  # for busy machines
    monkeypatch.setattr(last_answers, "OPTIONAL_TIMEOUT_S", float(TEST_TIMEOUT_S))

    def run_with_processes(test: Callable[[Callable[..., LastAnswers]], Awaitable[T]]) -> T:
        async def main() -> T:
            client = open_redis(redis_server.settings)
            try:
                return await test(lambda version="1": LastAnswers(client, version))
            finally:
                await client.aclose()

        return asyncio.run(main())

    return run_with_processes


async def stored(redis: "Redis[bytes]", answers: int) -> None:
    async with asyncio.timeout(TEST_TIMEOUT_S):
        while redis.zcard(INDEX) != answers:
            await asyncio.sleep(0.01)


def test_another_process_has_the_last_answer(run: Run[object], redis: "Redis[bytes]") -> None:
    async def ask(process: Callable[..., LastAnswers]) -> object:
        fresh = await process().ask(SALES, figures, "ana")
        await stored(redis, 1)
        return fresh, await process().ask(SALES, away, "ana")

    content: Figures = {"seller_id": "ana", "as_of": AS_OF, "stale": False}
    assert run(ask) == (content, {**content, "stale": True})
    (key,) = redis.zrange(INDEX, 0, -1)
    assert 0 < redis.pttl(key) <= TTL_MS


@pytest.mark.parametrize(("version", "seller_id"), [("2", "ana"), ("1", "new")])
def test_the_answer_of_another_version_or_question_is_not_used(
    run: Run[None], redis: "Redis[bytes]", version: str, seller_id: str
) -> None:
    async def ask(process: Callable[..., LastAnswers]) -> None:
        await process().ask(SALES, figures, "ana")
        await stored(redis, 1)
        with pytest.raises(ClickHouseUnavailable):
            await process(version).ask(SALES, away, seller_id)

    run(ask)


def test_an_answer_is_written_once_in_a_while(run: Run[None], redis: "Redis[bytes]") -> None:
    async def ask(process: Callable[..., LastAnswers]) -> None:
        last = process()
        await last.ask(SALES, figures, "ana")
        await stored(redis, 1)
        redis.flushall()
        await last.ask(SALES, figures, "ana")
        await last.ask(SALES, figures, "new")
        await stored(redis, 1)
        with pytest.raises(ClickHouseUnavailable):
            await last.ask(SALES, away, "ana")

    run(ask)


def test_answers_that_were_stored_first_are_deleted_first(
    run: Run[None], redis: "Redis[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(SALES.pack({"seller_id": "seller-0", "as_of": AS_OF, "stale": False}))
    monkeypatch.setattr(last_answers, "MAX_BYTES", 3 * size)
    sellers = [f"seller-{number}" for number in range(5)]

    async def ask(process: Callable[..., LastAnswers]) -> None:
        last = process()
        for number, seller_id in enumerate(sellers):
            await last.ask(SALES, figures, seller_id)
            await stored(redis, min(number + 1, 3))
            while redis.get(BYTES) != b"%d" % (min(number + 1, 3) * size) or last._pending:
                await asyncio.sleep(0.01)
        for seller_id in sellers[2:]:
            assert (await process().ask(SALES, away, seller_id))["seller_id"] == seller_id
        for seller_id in sellers[:2]:
            with pytest.raises(ClickHouseUnavailable):
                await process().ask(SALES, away, seller_id)

    run(ask)
    assert redis.hlen(SIZES) == 3
    assert len(redis.keys(f"{PREFIX}answer:*")) == 3


def test_without_redis_questions_are_answered_but_no_last_answer_is_known() -> None:
    async def ask() -> object:
        client = open_redis(Settings(home=Path("/nowhere"), redis_url="redis://127.0.0.1:1"))
        last = LastAnswers(client, "1")
        fresh = await last.ask(SALES, figures, "ana")
        with pytest.raises(ClickHouseUnavailable):
            await last.ask(SALES, away, "ana")
        await last.aclose()
        await client.aclose()
        return fresh["stale"]

    assert asyncio.run(ask()) is False
