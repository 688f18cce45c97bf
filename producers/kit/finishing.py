"""Shields work from the cancellation of its task until it ends: the message that a consumer processes."""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")

_must_end: ContextVar[asyncio.Event | None] = ContextVar("must_end", default=None)
"""Is set once the task that awaits the work was cancelled."""


class Interrupted(BaseException):
    """The work paused when it was to end.

    This is no `CancelledError`, because a task group ignores that of a child: the work would seem to be done.
    """


async def finish(work: Coroutine[Any, Any, T], within_s: float) -> T:
    """Await `work` and return its result. If the caller is cancelled meanwhile, the work still ends.

    It has `within_s` for that, and is then cancelled, too. A `pause` of it ends it at once, because what
    waits for an unavailable server may wait for ever.

    Raises:
        CancelledError: the caller was cancelled, and the work has ended, if only with a logged error.
        Exception: the work failed.
    """
    must_end = asyncio.Event()
    token = _must_end.set(must_end)
    task = asyncio.create_task(work)  # it copies the context
    _must_end.reset(token)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        must_end.set()
        if not task.done():
            await asyncio.wait({task}, timeout=within_s)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None and not _is_interruption(error):
            log.warning("what was in work at the stop failed", error=str(error) or type(error).__name__)
        raise


async def pause(seconds: float) -> None:
    """Sleep, as between two attempts.

    Raises:
        Interrupted: the work was to end meanwhile; see `finish`.
    """
    must_end = _must_end.get()
    if must_end is None:
        await asyncio.sleep(seconds)
        return
    try:
        async with asyncio.timeout(seconds):
            await must_end.wait()
    except TimeoutError:
        return
    raise Interrupted


def _is_interruption(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return error.split(Interrupted)[1] is None
    return isinstance(error, Interrupted)
