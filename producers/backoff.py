"""Waiting longer and longer while something is away, and saying so once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")

FIRST_S = 0.1
LONGEST_S = 5.0


class Backoff:
    """Doubles from 0.1 s to 5 s, with jitter, until `reset`; for one loop."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._failures = 0

    async def wait(self, error: BaseException) -> None:
        """Wait before the next try after this failure."""
        if not self._failures:
            log.warning("waiting", who=self._who, error=str(error) or type(error).__name__)
        delay_s = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))

    def reset(self) -> None:
        """It worked."""
        if self._failures:
            log.info("goes on", who=self._who)
        self._failures = 0


async def until_done(who: str, step: Callable[[], Awaitable[T]], passing: tuple[type[Exception], ...]) -> T:
    """The result of `step`, which is tried again with back-off for as long as it raises what is `passing`."""
    backoff = Backoff(who)
    while True:
        try:
            done = await step()
        except passing as error:
            await backoff.wait(error)
        else:
            backoff.reset()
            return done
