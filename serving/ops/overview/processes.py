"""What the processes of the platform say about themselves, wherever they run: metrics and readiness."""

import asyncio
import shutil
from collections.abc import Mapping
from http import HTTPStatus

import httpx

from common import metrics
from common.clock import Clock
from common.process_records import process_tree, read_process_records, resident_bytes
from common.settings import Part, Settings
from serving.ops.overview.samples import (
    CLICKHOUSE_INSERTED,
    CLICKHOUSE_MEMORY,
    MEMORY,
    Metric,
    Samples,
    read_samples,
    sample_name,
)
from serving.ops.overview.schemas import Disk
from serving.ops.overview.source import Source

CHECKS_TIMEOUT_S = 3.0
"""The checks of the parts have timeouts of their own, which are a little shorter. So if they are late, a
process is busy, and the states that are known stay."""

_FIGURES: Mapping[Part, tuple[Metric | str, ...]] = {
    "serving": (metrics.HTTP_REQUESTS, metrics.LIVE_LISTENERS),
    "commerce": (
        metrics.ORDERS,
        metrics.OUTBOX_PUBLISHED,
        metrics.OUTBOX_WAITING,
        metrics.OUTBOX_AGE_SECONDS,
    ),
    "jobs": (
        metrics.JOB_RUNNING,
        metrics.JOB_RESTARTS,
        metrics.CHECKPOINT_AGE_SECONDS,
        metrics.CHECKPOINT_SECONDS,
        metrics.CHECKPOINTS_FAILED,
        metrics.JOB_BACK_PRESSURE,
        metrics.JOB_BUSY,
        metrics.RECOMMENDATIONS_AS_OF,
        metrics.FLINK_HEAP_BYTES,
    ),
    "clickhouse": (metrics.CLICKHOUSE_ROWS, CLICKHOUSE_MEMORY, CLICKHOUSE_INSERTED),
    "rollups": (metrics.ROLLUP_REFRESHED_AT,),
    "seller_sql": (),
    "training": (),
    "audit": (),
    "simulator": (),
}
"""Process → the metrics that the overview needs of it, besides its memory."""

WANTED: Mapping[Part, frozenset[str]] = {
    part: frozenset((MEMORY, *(each if isinstance(each, str) else sample_name(each) for each in figures)))
    for part, figures in _FIGURES.items()
}
"""Process → the names of these samples."""

OPTIONAL: frozenset[Part] = frozenset({"training", "audit", "simulator", "seller_sql"})
"""Processes without which the platform works. Where one was never started, it is off, and not broken."""


WITH_READINESS: tuple[Part, ...] = ("jobs", "rollups", "training", "audit", "simulator", "seller_sql")
"""Processes whose `/ready` is the state of their part. The API checks itself and the other parts."""


def process_sources(settings: Settings, http: httpx.AsyncClient, clock: Clock) -> dict[Part, Source[Samples]]:
    """Return a source for each process. That of the API reads its own metrics, without a request."""

    def source(part: Part) -> Source[Samples]:
        async def read() -> Samples:
            if part == "serving":
                return await asyncio.to_thread(_own_samples)
            response = await http.get(settings.metrics_of(part))
            response.raise_for_status()
            return read_samples(response.text, WANTED[part])

        return Source(f"metrics of {part}", read, clock, quiet=part in OPTIONAL)

    return {part: source(part) for part in WANTED}


def readiness_sources(
    settings: Settings, http: httpx.AsyncClient, clock: Clock
) -> dict[Part, Source[Mapping[str, str]]]:
    """Return a source for each process with `/ready`. Its value is what is missing, with the reasons.

    They log nothing: a process that is away is logged for its metrics.
    """

    def source(part: Part) -> Source[Mapping[str, str]]:
        async def read() -> Mapping[str, str]:
            response = await http.get(settings.readiness_of(part))
            if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                response.raise_for_status()
            missing: Mapping[str, str] = response.json()["missing"]
            return missing

        return Source(f"readiness of {part}", read, clock, timeout_s=CHECKS_TIMEOUT_S, quiet=True)

    return {part: source(part) for part in WITH_READINESS}


def _own_samples() -> Samples:
    """Return the samples of all processes of this server. In multiprocess mode this reads files."""
    return read_samples(metrics.exposition().decode(), WANTED["serving"])


async def read_disk(settings: Settings) -> Disk:
    """Return the space of the disk with the platform's data, on this machine."""
    usage = await asyncio.to_thread(shutil.disk_usage, settings.home if settings.home.exists() else "/")
    return {"free_bytes": usage.free, "total_bytes": usage.total}


async def read_local_memory(settings: Settings) -> dict[str, int]:
    """Return part → memory in bytes of the processes that `./souk up` started on this machine and that run.

    It is empty elsewhere, as in a container.
    """
    return await asyncio.to_thread(_local_memory, settings)


def _local_memory(settings: Settings) -> dict[str, int]:
    records = read_process_records(settings.home / "run")
    return {record.part: resident_bytes(process_tree(record.pid)) for record in records if record.alive}
