"""Runs one computation for all callers that need the same result at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from common.background import retrieve_error

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Shares running computations by key.

    A caller that is cancelled does not cancel the computation: others may need it.
    """

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}

    async def run(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `compute()`, or of the running computation with this key.

        An error of the computation is raised in every caller that shares it.
        """
        return await asyncio.shield(self._running.get(key) or self._start(key, compute))

    def start(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> None:
        """Start `compute()` in the background unless a computation with this key is running."""
        if key not in self._running:
            self._start(key, compute)

    def is_running(self, key: Hashable) -> bool:
        """Return whether a computation with this key is running."""
        return key in self._running

    async def aclose(self) -> None:
        """Cancel the running computations."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def _start(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        async def call() -> T:
            return await compute()

        task = self._running[key] = asyncio.create_task(call())

        def end(ended: "asyncio.Task[T]") -> None:
            del self._running[key]
            retrieve_error(ended)  # the callers may have been cancelled

        task.add_done_callback(end)
        return task
