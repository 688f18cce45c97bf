"""When `/ready` waits for figures: only until the past was counted for the first time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from common.settings import Settings
from serving.ops.readiness import KEY, CountedPast
from serving.ops.schemas import FiguresState

LONG_AGO = datetime(2018, 2, 18, tzinfo=UTC)


def figures(behind_s: float | None, messages_behind: int | None) -> FiguresState:
    return {
        "as_of": None if behind_s is None else LONG_AGO,
        "behind_s": behind_s,
        "current": behind_s is not None and behind_s <= 60,
        "messages_behind": messages_behind,
        "catching_up": (behind_s is None or behind_s > 60) and bool(messages_behind),
    }


EMPTY = figures(None, 0)
COUNTING = figures(9e6, 5_000)
OLD = figures(9e6, 0)
CURRENT = figures(3.0, 0)


@pytest.fixture
def reasons(shop: Settings) -> Callable[..., list[str]]:
    """A function that gives each process, one after the other, its states of the figures in turn, and returns
    why each state makes the process unready."""

    def read(*processes: list[FiguresState | None]) -> list[str]:
        async def run() -> list[str]:
            async with Redis.from_url(shop.redis_url or "") as redis:
                await redis.delete(KEY)
                found = []
                for states in processes:
                    past = CountedPast(redis)
                    found += [await past.reason(state) for state in states]
                await redis.delete(KEY)
                return found

        return asyncio.run(run())

    return read


def test_a_platform_without_a_past_is_ready(reasons: Callable[..., list[str]]) -> None:
    assert reasons([EMPTY, None]) == ["", ""]


def test_while_the_past_is_counted_the_reason_says_how_far_it_is(reasons: Callable[..., list[str]]) -> None:
    (reason,) = reasons([COUNTING])

    assert reason == (
        "the past is still being counted: 5,000 messages are left, "
        "and figures are complete up to 2018-02-18 00:00 UTC"
    )
    assert "there are no figures yet" in reasons([figures(None, 7)])[0]


def test_once_it_was_counted_old_figures_leave_all_processes_ready(reasons: Callable[..., list[str]]) -> None:
    first, second, third, successor = reasons([COUNTING, CURRENT, COUNTING], [COUNTING])

    assert first
    assert (second, third, successor) == ("", "", "")


def test_a_past_that_ended_long_ago_is_counted_when_nothing_was_left_for_a_while(
    reasons: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [bool(reason) for reason in reasons([OLD, COUNTING, OLD, COUNTING])] == [False, True, False, True]

    monkeypatch.setattr("serving.ops.readiness.SETTLED_S", 0.0)
    assert [bool(reason) for reason in reasons([COUNTING, OLD, COUNTING])] == [True, False, False]


def test_without_redis_figures_are_not_what_is_missing() -> None:
    async def run(read: Callable[[CountedPast], Awaitable[str]]) -> str:
        async with Redis.from_url("redis://127.0.0.1:1") as redis:
            return await read(CountedPast(redis))

    assert asyncio.run(run(lambda past: past.reason(COUNTING))) == ""
    assert asyncio.run(run(lambda past: past.reason(CURRENT))) == ""
