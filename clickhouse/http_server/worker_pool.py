"""A thread pool for queries, which refuses a query if too many are running and queued."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from clickhouse.http_server.errors import DatabaseError

T = TypeVar("T")


class WorkerPool:
    """Runs functions in `threads` threads, and queues up to `max_queued` further functions."""

    def __init__(self, name: str, threads: int, max_queued: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._size = threads
        self._limit = threads + max_queued
        self.busy = 0
        """Functions that are running or queued."""

    @property
    def has_queue(self) -> bool:
        """Whether a query waits for a thread."""
        return self.busy > self._size

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread; use it from one event loop only.

        Raises:
            DatabaseError: 202, too many queries are running and queued.
        """
        return await self.start(work)

    def start(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Like `run`, but returns the future without waiting for it."""
        if self.busy >= self._limit:
            message = f"Too many simultaneous queries. Current: {self.busy}, maximum: {self._limit}."
            raise DatabaseError(202, "TOO_MANY_SIMULTANEOUS_QUERIES", message)
        self.busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._decrement_busy)
        return future

    def _decrement_busy(self, _: "asyncio.Future[T]") -> None:
        self.busy -= 1

    def close(self) -> None:
        """Drop the queued functions, and start no further ones."""
        self._threads.shutdown(wait=False, cancel_futures=True)
