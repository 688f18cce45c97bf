"""Reads the whole platform: every source at the same time, each with a deadline of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar

import httpx
import structlog
from redis.asyncio import Redis

from common.clock import Clock
from common.consumer_lag import DEAD_LETTER_SUFFIX, Backlog, read_backlog
from common.kafka import KafkaCluster
from common.process_records import recorded_parts
from common.settings import Part, Settings
from common.urls import redact_password
from serving.kit.domain import stop_task
from serving.kit.redis_client import run_redis
from serving.kit.training_runs import Trainings
from serving.ops.audit_runs import AuditsService
from serving.ops.figures_freshness import FiguresFreshness
from serving.ops.overview import schemas
from serving.ops.overview.parts import STAGES, Outages, PartReadings, part_overview
from serving.ops.overview.processes import (
    CHECKS_TIMEOUT_S,
    AskCommerce,
    process_sources,
    read_alerts,
    read_disk,
    read_local_memory,
    read_mails,
    readiness_sources,
)
from serving.ops.overview.samples import RateMeter, Samples
from serving.ops.overview.schemas import PlatformOverview
from serving.ops.overview.source import Reading, Source
from serving.ops.overview.stage_figures import job_statuses, read_versions, stage_figures
from serving.ops.readiness import ReadinessChecks

NAMES: Mapping[str, str] = {"backlog": "kafka", "versions": "job_versions", "alerts": "prometheus"}
"""Reading → the name of its source, where it is another one."""


def overview(
    settings: Settings,
    readings: Mapping[str, Reading[Any]],
    processes: Mapping[Part, Reading[Samples]],
    readiness: Mapping[Part, Reading[Mapping[str, str]]],
    was_started_here: frozenset[str],
    outages: Outages,
    rates: RateMeter,
    now: datetime,
    now_s: float,
) -> schemas.PlatformOverview:
    """Return the overview. `readings` has those of `OverviewService`, by name; `now_s` is `monotonic()`."""
    value = {name: reading.value for name, reading in readings.items()}
    backlog: Backlog | None = value["backlog"]
    samples = {part: reading.value for part, reading in processes.items()}
    jobs = job_statuses(samples["jobs"], backlog.behind if backlog else None, value["versions"])
    figures = stage_figures(samples, backlog, jobs, value["figures"], rates, now, now_s)
    known = PartReadings(
        None if value["parts"] is None else {each["part"]: each for each in value["parts"]},
        processes,
        readiness,
        value["redis_memory"],
        value["local_memory"] or {},
        was_started_here,
    )
    stages: list[schemas.StageOverview] = []
    for stage, parts in STAGES.items():
        shown = [part_overview(part, known, outages, now) for part in parts]
        stages.append({"stage": stage, "parts": [each for each in shown if each], "figures": figures[stage]})
    return {
        "at": now,
        "ready": all(
            part["state"] == "ready" for stage in stages for part in stage["parts"] if part["needed"]
        ),
        "stages": stages,
        "figures": value["figures"],
        "jobs": None if samples["jobs"] is None else jobs,
        "job_versions": value["versions"],
        "consumer_groups": None if backlog is None else _groups(backlog),
        "dead_letters": None if backlog is None else _dead_letters(backlog),
        "audits": None if value["audits"] is None else value["audits"]["audits"],
        "trainings": None if value["trainings"] is None else value["trainings"]["trainings"],
        "monitoring": _monitoring(settings, readings["alerts"], was_started_here),
        "alerts": value["alerts"],
        "mails": value["mails"],
        "disk": value["disk"],
        "links": _links(settings, value["alerts"] is not None),
        "sources": [_source(NAMES.get(name, name), each) for name, each in readings.items()]
        + [_source(f"metrics of {part}", each) for part, each in processes.items()],
    }


def _groups(backlog: Backlog) -> list[schemas.GroupLag]:
    found: list[schemas.GroupLag] = [
        {"group": group, "messages_behind": behind} for group, behind in sorted(backlog.behind.items())
    ]
    return sorted(found, key=lambda each: -each["messages_behind"])


def _dead_letters(backlog: Backlog) -> list[schemas.UnresolvedDeadLetters]:
    return [
        {"name": topic.removesuffix(DEAD_LETTER_SUFFIX), "unresolved": count}
        for topic, count in sorted(backlog.unresolved.items())
        if count
    ]


def _monitoring(
    settings: Settings, alerts: Reading[Any], was_started_here: frozenset[str]
) -> schemas.MonitoringState:
    if not alerts.problem:
        return "watching"
    is_expected = settings.prometheus_url or alerts.answered_at or "prometheus" in was_started_here
    return "not_answering" if is_expected else "off"


def _links(settings: Settings, has_prometheus: bool) -> schemas.Links:
    has_zipkin = bool(settings.zipkin or settings.zipkin_url)
    return {
        "grafana": settings.grafana_url.rstrip("/") or None,
        "zipkin": f"{settings.zipkin_public}/zipkin/" if has_zipkin else None,
        "prometheus": redact_password(settings.prometheus_public) if has_prometheus else None,
    }


def _source(name: str, reading: Reading[Any]) -> schemas.SourceState:
    return {
        "source": name,
        "answers": not reading.problem,
        "answered_at": reading.answered_at,
        "failing_since": reading.failing_since,
        "problem": reading.problem,
    }


HTTP_TIMEOUT_S = 10.0
"""How long a process may take to answer a request that nobody waits for any more."""

MAX_AGE_S = 1.0
"""An overview of this age is not read again, however many people look at it."""

WATCH_EVERY_S = 60.0
"""How often a process looks without being asked: so it knows since when a part is away, and has rates."""

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
            "backlog": source("kafka", lambda: asyncio.to_thread(read_backlog, self._kafka), every_s=SLOW_S),
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
        await stop_task(self._watcher)
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
        return overview(
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

    async def _read_redis_memory(self) -> int:
        info: Any = await run_redis(self._redis.info("memory"))
        return int(info["used_memory_rss"])


async def _readings(sources: Mapping[K, Source[T]]) -> dict[K, Reading[T]]:
    """Read all sources at the same time."""
    return dict(
        zip(sources, await asyncio.gather(*(each.reading() for each in sources.values())), strict=True)
    )
