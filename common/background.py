"""Work that goes on although nobody waits for it: a function in a thread of its own, a task of asyncio."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def in_background(work: Callable[[], T]) -> "Future[T]":
    """Start `work` in a daemon thread and return a future of its result or error.

    Unlike a thread of a `ThreadPoolExecutor`, a daemon thread does not delay the end of the process.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def retrieve_error(task: "asyncio.Task[Any]") -> None:
    """Keep asyncio from logging the error of a task whose result may never be used.

    Add it as a done callback to a task for which callers wait only for a while.
    """
    if not task.cancelled():
        task.exception()
