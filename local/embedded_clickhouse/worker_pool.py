"""A thread pool for queries, which divides its threads between clients and refuses what exceeds its queue."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from clickhouse.sql_guard.errors import DatabaseError

T = TypeVar("T")


class _Client:
    """The queries of one client."""

    def __init__(self) -> None:
        self.running = 0
        self.waiting: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()


class WorkerPool:
    """Runs functions in `threads` threads, and queues up to `max_queued` further functions.

    One client's functions run in at most `share` threads at once and take at most half of the queue. The
    threads serve the clients with waiting functions in turn. Use it from one event loop only.
    """

    def __init__(self, name: str, threads: int, max_queued: int, share: int | None = None) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._size = threads
        self._limit = threads + max_queued
        self._share = share or threads
        self._limit_of_client = self._share + max_queued // 2 if share else self._limit
        self._clients: dict[Hashable, _Client] = {}
        self.busy = 0
        """Functions that are running or queued."""

    @property
    def has_queue(self) -> bool:
        """Whether a query waits for a thread."""
        return any(client.waiting for client in self._clients.values())

    def start(self, work: Callable[[], T], client: Hashable = None) -> "asyncio.Future[T]":
        """Run `work` in a thread, and return the future of its result.

        Raises:
            DatabaseError: 202, too many queries are running and queued, of all clients or of this one.
        """
        of_client = self._clients.get(client) or _Client()
        of_client_busy = of_client.running + len(of_client.waiting)
        for current, maximum in ((self.busy, self._limit), (of_client_busy, self._limit_of_client)):
            if current >= maximum:
                raise DatabaseError(
                    202,
                    "TOO_MANY_SIMULTANEOUS_QUERIES",
                    f"Too many simultaneous queries. Current: {current}, maximum: {maximum}.",
                )
        self.busy += 1
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        of_client.waiting.append((work, outcome))
        self._clients[client] = of_client
        self._dispatch()
        return outcome

    def _dispatch(self) -> None:
        """Start waiting functions while threads are free; a client that was served goes to the end."""
        running = sum(client.running for client in self._clients.values())
        while running < self._size:
            ready = (
                key
                for key, client in self._clients.items()
                if client.waiting and client.running < self._share
            )
            key = next(ready, self)
            if key is self:
                return
            client = self._clients[key] = self._clients.pop(key)
            work, outcome = client.waiting.popleft()
            client.running += 1
            running += 1
            asyncio.get_running_loop().run_in_executor(self._threads, work).add_done_callback(
                partial(self._done, key, outcome)
            )

    def _done(self, key: Hashable, outcome: "asyncio.Future[Any]", working: "asyncio.Future[Any]") -> None:
        client = self._clients[key]
        client.running -= 1
        self.busy -= 1
        if not client.running and not client.waiting:
            del self._clients[key]
        if working.cancelled():
            outcome.cancel()
        elif error := working.exception():
            if not outcome.done():
                outcome.set_exception(error)
        elif not outcome.done():
            outcome.set_result(working.result())
        if not working.cancelled():
            self._dispatch()

    def close(self) -> None:
        """Drop the queued functions, and start no further ones."""
        for client in self._clients.values():
            for _, outcome in client.waiting:
                outcome.cancel()
                self.busy -= 1
            client.waiting.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)
