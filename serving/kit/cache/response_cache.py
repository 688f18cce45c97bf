"""Returns responses from the cache, and computes each missing one once for all requests of all processes."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

import structlog

from common.background import retrieve_error
from common.errors import PartUnavailable
from common.metrics import CACHE_REQUESTS
from common.problems import Problem
from serving.kit.cache.completeness import watch_completeness
from serving.kit.cache.keys import CacheName, entry_key
from serving.kit.cache.store import TIMEOUT_S, CacheReading, CacheStore
from serving.kit.live_versions import LiveVersions
from serving.kit.problems import RedisUnavailable

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


REFRESH_AFTER_MS = 10_000
"""The age at which an entry is computed again, in the background. Requests get the old entry meanwhile."""

WAIT_S, POLL_S = 1.0, 0.02
"""How long a process waits for an entry that another process computes, and how often it looks. Then it
computes the entry itself."""

BYPASS_S = 1.0
"""For this long after Redis did not answer, it is not asked."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CacheContent:
    """A serialised response, and the tags of all that it shows."""

    content: bytes
    tags: Collection[str]


Compute = Callable[[], Awaitable[CacheContent]]


@dataclass(frozen=True, slots=True)
class Miss:
    """An entry that this process computes, with the lock unless it waited in vain for another process."""

    name: CacheName
    parts: Sequence[object]
    entry: str
    reading: CacheReading
    compute: Compute


class ResponseCache:
    """Cache-aside for serialised responses.

    A response is computed without the cache while Redis does not answer. A problem is never stored, nor a
    response that something is missing from (`mark_incomplete`).
    """

    def __init__(self, versions: LiveVersions) -> None:
        self.versions = versions
        self._store = CacheStore(versions.redis)
        self._flights = SingleFlight[bytes]()
        self._refreshes = SingleFlight[bytes]()
        self._bypass_until = float("-inf")

    async def get(self, name: CacheName, parts: Sequence[object], compute: Compute) -> bytes:
        """Return the content of the entry; `compute` returns it if it is missing.

        `parts` is all that the content depends on, as JSON values. The live versions of the jobs are added.

        Raises:
            Problem: the one of `compute`.
        """
        flight = (name, *parts)
        if self._flights.is_running(flight):
            CACHE_REQUESTS.labels(name, "shared").inc()
        return await self._flights.run(flight, lambda: self._get(name, parts, compute))

    async def aclose(self) -> None:
        """Cancel computations in the background."""
        await self._flights.aclose()
        await self._refreshes.aclose()

    async def _get(self, name: CacheName, parts: Sequence[object], compute: Compute) -> bytes:
        try:
            entry, reading = await self._begin(name, parts)
        except RedisUnavailable:
            CACHE_REQUESTS.labels(name, "error").inc()
            return (await compute()).content
        if reading.content is None:
            CACHE_REQUESTS.labels(name, "miss").inc()
            return await self._fill(Miss(name, parts, entry, reading, compute))
        CACHE_REQUESTS.labels(name, "stale" if reading.old else "hit").inc()
        if reading.has_lock:
            miss = Miss(name, parts, entry, reading, compute)
            self._refreshes.start(entry, lambda: self._refresh(miss))
        return reading.content

    async def _begin(self, name: CacheName, parts: Sequence[object]) -> tuple[str, CacheReading]:
        """Read the entry; if another process computes it, wait up to `WAIT_S`.

        Raises:
            RedisUnavailable: Redis does not answer, or did not answer a moment ago.
        """
        if monotonic() < self._bypass_until:
            raise RedisUnavailable("Redis did not answer a moment ago.")
        deadline = monotonic() + WAIT_S
        try:
            entry = await self._entry(name, parts)
            reading = await self._store.begin(entry, REFRESH_AFTER_MS)
            while reading.content is None and not reading.has_lock and monotonic() < deadline:
                await asyncio.sleep(POLL_S)
                reading = await self._store.begin(entry, REFRESH_AFTER_MS)
        except RedisUnavailable:
            self._bypass_until = monotonic() + BYPASS_S
            raise
        return entry, reading

    async def _entry(self, name: CacheName, parts: Sequence[object]) -> str:
        return entry_key(name, (*await self.versions.all_prefixes(TIMEOUT_S), *parts))

    async def _fill(self, miss: Miss) -> bytes:
        try:
            with watch_completeness() as completeness:
                computed = await miss.compute()
        except BaseException:
            await self._release(miss)
            raise
        await self._store_if(completeness.complete, miss, computed)
        return computed.content

    async def _refresh(self, miss: Miss) -> bytes:
        """Compute an old entry again. After a problem, the next attempt is made when the lock has expired."""
        try:
            with watch_completeness() as completeness:
                computed = await miss.compute()
        except (Problem, PartUnavailable) as error:
            log.warning("a cached response was not refreshed", reason=str(error))
            return b""
        await self._store_if(completeness.complete, miss, computed)
        return computed.content

    async def _store_if(self, complete: bool, miss: Miss, computed: CacheContent) -> None:
        try:
            # The version of a job may have been switched: the content is then that of another entry.
            if complete and await self._entry(miss.name, miss.parts) == miss.entry:
                await self._store.store(miss.entry, miss.reading, computed.content, computed.tags)
            else:
                await self._release(miss)
        except RedisUnavailable as error:
            log.warning("a response was not cached", reason=str(error))

    async def _release(self, miss: Miss) -> None:
        try:
            await self._store.release(miss.entry, miss.reading)
        except RedisUnavailable as error:
            log.warning("a lock of the cache was not returned; it expires", reason=str(error))
