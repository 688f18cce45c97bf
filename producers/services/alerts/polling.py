"""Runs a worker of this service: its work again and again, with back-off during outages of PostgreSQL."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import structlog

from common.metrics import UNEXPECTED_ERRORS
from producers.kit.backoff import Backoff
from producers.kit.finishing import finish
from producers.kit.postgres.errors import RETRYABLE

log = structlog.get_logger()


async def poll(
    worker: str, interval_s: float, work: Callable[[], Coroutine[Any, Any, int]], stop_timeout_s: float
) -> None:
    """Call `work` until cancelled: again at once if it did something, else after `interval_s`.

    A call that runs at the cancellation has `stop_timeout_s` to end.
    """
    UNEXPECTED_ERRORS.labels("alerts", worker)  # creates the series with 0, which the alert needs
    backoff = Backoff(f"alerts {worker}")
    while True:
        try:
            done = await finish(work(), stop_timeout_s)
            backoff.reset()
        except RETRYABLE as error:
            await backoff.wait(error)
            continue
        if not done:
            await asyncio.sleep(interval_s)


async def run_isolated(worker: str, calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await calls at the same time. An unexpected error of one is logged, and does not affect the others.

    Raises:
        one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable; the calls' leases end.
    """
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    retryable = None
    for outcome in outcomes:
        if isinstance(outcome, RETRYABLE):
            retryable = outcome
        elif isinstance(outcome, Exception):
            log.error("unexpected error", worker=worker, exc_info=outcome)
            UNEXPECTED_ERRORS.labels("alerts", worker).inc()
        elif isinstance(outcome, BaseException):
            raise outcome
    if retryable is not None:
        raise retryable
