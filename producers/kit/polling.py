"""Runs a worker of a service: its work again and again, with back-off during outages of PostgreSQL."""

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
    who: str,
    interval_s: float,
    work: Callable[[], Coroutine[Any, Any, int | None]],
    stop_timeout_s: float = 0,
    *,
    drains: bool = False,
) -> None:
    """Call `work` now, and again `interval_s` after it has ended, until cancelled.

    With `drains`, it is called again at once as long as it returns that it did something. `who` names the
    worker in the log. A call that runs at the cancellation has `stop_timeout_s` to end.
    """
    backoff = Backoff(who)
    while True:
        try:
            done = await finish(work(), stop_timeout_s)
        except RETRYABLE as error:
            await backoff.wait(error)
            continue
        backoff.reset()
        if not (drains and done):
            await asyncio.sleep(interval_s)


async def run_isolated(service: str, worker: str, calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await calls at the same time. An unexpected error of one is logged, and does not affect the others.

    Raises:
        one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable; the calls' leases end.
    """
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    raised = [each for each in outcomes if isinstance(each, BaseException)]
    for error in raised:
        if not isinstance(error, Exception):
            raise error
        if not isinstance(error, RETRYABLE):
            log.error("unexpected error", worker=worker, exc_info=error)
            UNEXPECTED_ERRORS.labels(service, worker).inc()
    for error in raised:
        if isinstance(error, RETRYABLE):
            raise error
