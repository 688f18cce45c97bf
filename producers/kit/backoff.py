"""Retries with exponential back-off, and logs the start and the end of an outage once."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from producers.kit.finishing import pause

log = structlog.get_logger()

T = TypeVar("T")

FIRST_DELAY_S = 0.1
MAX_DELAY_S = 5.0


class Backoff:
    """The delays of one retry loop: 0.1 s at first, doubled each time, at most 5 s, with jitter.

    `who` names the loop in the log.
    """

    def __init__(self, who: str) -> None:
        self._who = who
        self._failures = 0

    async def wait(self, error: BaseException) -> None:
        """Wait before the attempt that follows this error."""
        if not self._failures:
            log.warning("waiting", who=self._who, error=str(error) or type(error).__name__)
        delay_s = min(MAX_DELAY_S, FIRST_DELAY_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        await pause(delay_s * random.uniform(0.5, 1.0))

    def reset(self) -> None:
        """Start with the first delay again. Call this after each attempt that succeeded."""
        if self._failures:
            log.info("resumed", who=self._who)
        self._failures = 0


async def retry_until_done(
    who: str, step: Callable[[], Awaitable[T]], retryable: tuple[type[Exception], ...]
) -> T:
    """Return the result of `step`, retrying with back-off while it raises a `retryable` error."""
    backoff = Backoff(who)
    while True:
        try:
            result = await step()
        except retryable as error:
            await backoff.wait(error)
        else:
            backoff.reset()
            return result
