"""Callers that need the same result at the same time share one computation."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from serving.kit.cache.completeness import mark_incomplete, watch_completeness
from serving.kit.cache.response_cache import SingleFlight

T = TypeVar("T")


class Slow:
    """A computation that ends when it is told to, and counts its calls."""

    def __init__(self, result: int | Exception = 1) -> None:
        self.calls = 0
        self.may_end = asyncio.Event()
        self._result = result

    async def __call__(self) -> int:
        self.calls += 1
        await self.may_end.wait()
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


def run(test: Callable[[], Awaitable[T]]) -> T:
    async def main() -> T:
        return await test()

    return asyncio.run(main())


async def started(*calls: Awaitable[int]) -> "list[asyncio.Future[int]]":
    """Start the calls, and let each run until it waits."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


def test_a_hundred_callers_share_one_computation() -> None:
    async def test() -> tuple[list[int], int]:
        flights, slow = SingleFlight[int](), Slow(7)
        callers = await started(*(flights.run("key", slow) for _ in range(100)))
        slow.may_end.set()
        return await asyncio.gather(*callers), slow.calls

    assert run(test) == ([7] * 100, 1)


def test_other_keys_and_later_callers_compute_again() -> None:
    async def test() -> int:
        flights, slow = SingleFlight[int](), Slow()
        slow.may_end.set()
        await asyncio.gather(flights.run("key", slow), flights.run("other", slow))
        await flights.run("key", slow)
        return slow.calls

    assert run(test) == 3


def test_a_caller_that_leaves_does_not_end_the_computation_of_the_others() -> None:
    async def test() -> int:
        flights, slow = SingleFlight[int](), Slow(5)
        first, second = await started(flights.run("key", slow), flights.run("key", slow))
        first.cancel()
        slow.may_end.set()
        return await second

    assert run(test) == 5


def test_an_error_reaches_every_caller_and_is_not_kept() -> None:
    async def test() -> int:
        flights, slow = SingleFlight[int](), Slow(LookupError("gone"))
        callers = await started(*(flights.run("key", slow) for _ in range(3)))
        slow.may_end.set()
        for error in await asyncio.gather(*callers, return_exceptions=True):
            assert isinstance(error, LookupError)
        with pytest.raises(LookupError):
            await flights.run("key", slow)
        return slow.calls

    assert run(test) == 2


def test_a_computation_in_the_background_runs_once_and_is_cancelled_at_the_end() -> None:
    async def test() -> tuple[int, bool]:
        flights, slow = SingleFlight[int](), Slow()
        flights.start("key", slow)
        flights.start("key", slow)
        await asyncio.sleep(0)
        await flights.aclose()
        return slow.calls, flights.is_running("key")

    assert run(test) == (1, False)


def test_a_task_within_a_computation_can_mark_its_response_as_incomplete() -> None:
    async def test() -> tuple[bool, bool]:
        async def part() -> None:
            mark_incomplete()

        with watch_completeness() as partial:
            await asyncio.gather(part())
        with watch_completeness() as whole:
            pass
        mark_incomplete()  # outside of any response: no effect
        return partial.complete, whole.complete

    assert run(test) == (False, True)
