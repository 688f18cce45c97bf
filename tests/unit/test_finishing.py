"""What is in work when a task is cancelled ends first."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any

import pytest

from producers.kit.backoff import Backoff
from producers.kit.finishing import finish

LONG_S = 60.0


def cancelled_during(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]], within_s: float) -> float:
    """Cancel a task once its work has begun; return how long it took to end."""

    async def run() -> float:
        has_begun = asyncio.Event()
        task = asyncio.create_task(finish(work(has_begun), within_s))
        await has_begun.wait()
        at = monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return monotonic() - at

    return asyncio.run(run())


def test_work_is_done_although_its_task_is_cancelled() -> None:
    done = []

    async def work(has_begun: asyncio.Event) -> None:
        has_begun.set()
        await asyncio.sleep(0.05)
        done.append(True)

    cancelled_during(work, LONG_S)

    assert done == [True]


def test_work_that_takes_too_long_is_cancelled() -> None:
    done = []

    async def work(has_begun: asyncio.Event) -> None:
        has_begun.set()
        await asyncio.sleep(LONG_S)
        done.append(True)

    assert cancelled_during(work, 0.05) < LONG_S
    assert done == []


async def in_a_group(call: Awaitable[None]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_awaited(call))


async def _awaited(call: Awaitable[None]) -> None:
    await call


@pytest.mark.parametrize("wrapped", [_awaited, in_a_group])
def test_a_pause_before_the_next_attempt_ends_at_once_and_the_work_does_not_seem_done(
    wrapped: Callable[[Awaitable[None]], Awaitable[None]],
) -> None:
    done = []
    backoff = Backoff("test")
    backoff._failures = 10  # the longest pause

    async def work(has_begun: asyncio.Event) -> None:
        has_begun.set()
        while True:
            await wrapped(backoff.wait(OSError("the server is away")))
            done.append(True)

    assert cancelled_during(work, LONG_S) < LONG_S / 2
    assert done == []


def test_the_result_and_the_error_of_work_are_passed_on() -> None:
    async def seven() -> int:
        return 7

    async def fail() -> None:
        raise ValueError("broken")

    assert asyncio.run(finish(seven(), 1.0)) == 7
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(finish(fail(), 1.0))


def test_an_error_after_the_cancellation_does_not_replace_it() -> None:
    async def work(has_begun: asyncio.Event) -> None:
        has_begun.set()
        await asyncio.sleep(0.01)
        raise OSError("a loop would retry this, and never end")

    cancelled_during(work, LONG_S)
