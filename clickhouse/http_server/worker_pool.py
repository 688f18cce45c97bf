"""A bounded thread pool for queries: it refuses a query when too many are running and queued."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from clickhouse.http_server.errors import DatabaseError

T = TypeVar("T")


class WorkerPool:
    """Runs functions in `threads` threads while at most `waiting` more are queued."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._size = threads
        self._limit = threads + waiting
        self.busy = 0

    @property
    def is_full(self) -> bool:
        """Whether a query waits for a thread."""
        return self.busy > self._size

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread; use it from one event loop only.

        Raises:
            DatabaseError: 202, too many are running and waiting already.
        """
        return await self.start(work)

    def start(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Like `run`, but returns the future without waiting for it."""
        if self.busy >= self._limit:
            message = f"Too many simultaneous queries. Current: {self.busy}, maximum: {self._limit}."
            raise DatabaseError(202, "TOO_MANY_SIMULTANEOUS_QUERIES", message)
        self.busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._one_less)
        return future

    def _one_less(self, _: "asyncio.Future[T]") -> None:
        self.busy -= 1

    def close(self) -> None:
        """Start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
