"""Reads the whole platform: every source at the same time, each with a deadline of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

import httpx
import structlog
from redis.asyncio import Redis

from common.clock import Clock
from common.consumer_lag import Backlog, read_backlog
from common.kafka import KafkaCluster
from common.process_records import recorded_parts
from common.settings import Settings
from serving.kit.redis_client import run_redis
from serving.kit.training_runs import Trainings
from serving.ops.audit_runs.service import AuditsService
from serving.ops.figures_freshness import FiguresFreshness
from serving.ops.overview import presenter
from serving.ops.overview.alerts import read_alerts
from serving.ops.overview.jobs import read_versions
from serving.ops.overview.mails import AskCommerce, read_mails
from serving.ops.overview.parts import Outages
from serving.ops.overview.processes import (
    CHECKS_TIMEOUT_S,
    process_sources,
    read_disk,
    read_local_memory,
    readiness_sources,
)
from serving.ops.overview.rates import RateMeter
from serving.ops.overview.schemas import PlatformOverview
from serving.ops.overview.source import Reading, Source
from serving.ops.readiness import ReadinessChecks

HTTP_TIMEOUT_S = 10.0
"""How long a process may take to answer a request that nobody waits for any more."""

MAX_AGE_S = 1.0
"""An overview of this age is not read again, however many people look at it."""

WATCH_EVERY_S = 60.0
"""How often a process checks all parts by itself. Rates and the times of failures come from these checks."""

SLOW_S = 5.0
"""The interval between two readings of what changes slowly or takes long."""

AUDITS = 5

log = structlog.get_logger()

K = TypeVar("K")
T = TypeVar("T")


NewestTraining = Callable[[], Awaitable[Trainings]]
"""Returns the page with the newest training of the recommender."""


class OverviewService:
    """The overview of this process. `start` it, so that it watches also while nobody looks."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        redis: Redis,
        readiness_checks: ReadinessChecks,
        freshness: FiguresFreshness,
        ask_commerce: AskCommerce,
        audits: AuditsService,
        newest_training: NewestTraining,
    ) -> None:
        self._settings, self._clock, self._redis = settings, clock, redis
        # Longer than the deadline of a source: that one says that a process is late.
        self._http = httpx.AsyncClient(timeout=HTTP_TIMEOUT_S, trust_env=False)
        self._kafka = KafkaCluster(settings.kafka, {"socket.connection.setup.timeout.ms": 2_000})
        self._outages, self._rates = Outages(), RateMeter()
        self._processes = process_sources(settings, self._http, clock)
        self._readiness = readiness_sources(settings, self._http, clock)

        def source(name: str, read: Any, **options: Any) -> Source[Any]:
            return Source(name, read, clock, **options)

        slow = {"every_s": SLOW_S, "keeps_last": True}
        self._sources: Mapping[str, Source[Any]] = {
            "parts": source(
                "parts", readiness_checks.part_states, timeout_s=CHECKS_TIMEOUT_S, keeps_last=True
            ),
            "figures": source("figures", freshness.read, timeout_s=CHECKS_TIMEOUT_S),
            "backlog": source("kafka", self._read_backlog, every_s=SLOW_S),
            "versions": source("versions of jobs", lambda: read_versions(redis)),
            "redis_memory": source("memory of redis", self._read_redis_memory, **slow),
            "local_memory": source("processes of this machine", lambda: read_local_memory(settings), **slow),
            "disk": source("disk", lambda: read_disk(settings), **slow),
            "audits": source("audits", lambda: audits.page(None, AUDITS), **slow),
            "trainings": source("trainings", newest_training, **slow),
            "alerts": source("prometheus", lambda: read_alerts(settings, self._http), quiet=True),
            "mails": source("mails", lambda: read_mails(ask_commerce), **slow),
        }
        self._lock = asyncio.Lock()
        self._last: PlatformOverview | None = None
        self._read_at = float("-inf")
        self._watcher: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._watcher = asyncio.create_task(self._watch(), name="overview")

    async def aclose(self) -> None:
        """Stop watching, and cancel all readings."""
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
        sources = [*self._sources.values(), *self._processes.values(), *self._readiness.values()]
        await asyncio.gather(*(each.aclose() for each in sources))
        await self._http.aclose()

    async def read(self) -> PlatformOverview:
        """Return the overview of this moment, within about `CHECKS_TIMEOUT_S`, whatever does not answer."""
        async with self._lock:
            if self._last is None or monotonic() - self._read_at > MAX_AGE_S:
                self._last = await self._read()
                self._read_at = monotonic()
            return self._last

    async def _read(self) -> PlatformOverview:
        readings, processes, readiness = await asyncio.gather(
            _readings(self._sources), _readings(self._processes), _readings(self._readiness)
        )
        return presenter.overview(
            self._settings,
            readings,
            processes,
            readiness,
            frozenset(recorded_parts(self._settings.home / "run")),
            self._outages,
            self._rates,
            self._clock(),
            monotonic(),
        )

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            if monotonic() - self._read_at >= WATCH_EVERY_S:
                try:
                    await self.read()
                except Exception:  # a bug must not end the watch, and is shown by the next request, too
                    log.exception("the overview can't be read")

    async def _read_backlog(self) -> Backlog:
        return await asyncio.to_thread(read_backlog, self._kafka)

    async def _read_redis_memory(self) -> int:
        info: Any = await run_redis(self._redis.info("memory"))
        return int(info["used_memory_rss"])


async def _readings(sources: Mapping[K, Source[T]]) -> dict[K, Reading[T]]:
    """Read all sources at the same time."""
    return dict(
        zip(sources, await asyncio.gather(*(each.reading() for each in sources.values())), strict=True)
    )
