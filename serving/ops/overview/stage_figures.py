"""The figures of each stage, and the Flink jobs: throughput, lag, freshness, checkpoints and versions."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from redis.asyncio import Redis

from common import metrics
from common.consumer_lag import Backlog
from common.job_versions import LIVE_FIELD, VERSIONED_JOBS, state_key, versioned_name
from common.request_log import PROBES
from common.settings import Part
from serving.kit.redis_client import run_redis
from serving.ops.overview.samples import CLICKHOUSE_INSERTED, Metric, RateMeter, Samples, sample_name
from serving.ops.overview.schemas import JobStatus, JobVersions, StageName
from serving.ops.schemas import FiguresState

STATE_FIELD = "state"


async def read_versions(redis: Redis) -> list[JobVersions]:
    """Return the versions of each job that writes to Redis.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    pipeline = redis.pipeline(transaction=False)
    for job in VERSIONED_JOBS:
        pipeline.hgetall(state_key(job))
    found = await run_redis(pipeline.execute())
    return [_versions(job, fields) for job, fields in zip(VERSIONED_JOBS, found, strict=True)]


def _versions(job: str, fields: Mapping[bytes, bytes]) -> JobVersions:
    """Return the versions of a job from its hash. `jobs/versions.py` describes the field `state`."""
    state: Mapping[str, Any] = orjson.loads(fields.get(STATE_FIELD.encode(), b"{}"))
    return {
        "job": job,
        "live": fields.get(LIVE_FIELD.encode(), b"").decode() or None,
        "next": state.get("next") or None,
        "before": state.get("before") or None,
        "messages_behind": state.get("behind"),
        "problem": str(state.get("problem") or ""),
    }


def job_statuses(
    samples: Samples | None, behind: Mapping[str, int] | None, versions: list[JobVersions] | None
) -> list[JobStatus]:
    """Return each job that the reconciler of the jobs knows, in the order of names.

    The metrics of a job are those of its live version. A figure is None while its source does not answer.
    """
    if samples is None:
        return []
    live = {each["job"]: each["live"] for each in versions or ()}
    running = samples.by(metrics.JOB_RUNNING, "job_name")
    return [_job_status(job, live.get(job), running[job] > 0, samples, behind) for job in sorted(running)]


def _job_status(
    job: str, version: str | None, is_running: bool, samples: Samples, behind: Mapping[str, int] | None
) -> JobStatus:
    restarts = samples.total(metrics.JOB_RESTARTS, job_name=job)
    failed = samples.total(metrics.CHECKPOINTS_FAILED, job_name=job)
    return {
        "job": job,
        "version": version,
        "running": is_running,
        "restarts": None if restarts is None else int(restarts),
        "checkpoint_age_s": samples.total(metrics.CHECKPOINT_AGE_SECONDS, job_name=job),
        "checkpoint_s": samples.total(metrics.CHECKPOINT_SECONDS, job_name=job),
        "checkpoints_failed": None if failed is None else int(failed),
        "back_pressure": samples.total(metrics.JOB_BACK_PRESSURE, job_name=job),
        "busy": samples.total(metrics.JOB_BUSY, job_name=job),
        "messages_behind": None if behind is None else behind.get(versioned_name(job, version or "")),
    }


Figures = dict[str, float | None]

Which = Callable[[Iterable[float]], float]
"""`max` or `min`."""


def stage_figures(
    samples: Mapping[Part, Samples | None],
    backlog: Backlog | None,
    jobs: Collection[JobStatus] | None,
    figures: FiguresState | None,
    rates: RateMeter,
    now: datetime,
    now_s: float,
) -> dict[StageName, Figures]:
    """Return the figures of each stage by name; None where a source does not answer.

    `now_s` is the time of the readings, of a clock that never goes back.
    """
    commerce, api, store = samples["commerce"], samples["serving"], samples["clickhouse"]
    orders = rates.rate("orders", _total(commerce, metrics.ORDERS, status="placed"), now_s)
    requests = rates.rate("requests", _requests(api), now_s)
    errors = rates.rate("errors", _requests(api, "5"), now_s)
    return {
        "shop": {
            "orders_per_minute": None if orders is None else 60 * orders,
            "events_published_per_s": rates.rate(
                "published", _total(commerce, metrics.OUTBOX_PUBLISHED), now_s
            ),
            "outbox_waiting": _total(commerce, metrics.OUTBOX_WAITING),
            "outbox_age_s": _largest(commerce, metrics.OUTBOX_AGE_SECONDS, "service"),
        },
        "kafka": {
            "messages_per_s": rates.rate("written", float(backlog.written) if backlog else None, now_s),
            "unresolved_dead_letters": float(sum(backlog.unresolved.values())) if backlog else None,
        },
        "jobs": {
            "messages_behind": _sum(each["messages_behind"] for each in jobs or ()),
            "checkpoint_age_s": _max(each["checkpoint_age_s"] for each in jobs or ()),
            "back_pressure": _max(each["back_pressure"] for each in jobs or ()),
        },
        "stores": {
            "rows_per_s": rates.rate("rows", _inserted(store), now_s),
            "figures_behind_s": figures["behind_s"] if figures else None,
            "recommendations_behind_s": _age(
                samples["jobs"], metrics.RECOMMENDATIONS_AS_OF, "event", now, max
            ),
            "rollups_age_s": _age(samples["rollups"], metrics.ROLLUP_REFRESHED_AT, "metric", now, min),
        },
        "api": {
            "requests_per_s": requests,
            "error_share": None
            if requests is None or errors is None
            else errors / requests
            if requests
            else 0.0,
            "live_streams": _total(api, metrics.LIVE_LISTENERS),
        },
        "night": {},
    }


def _total(samples: Samples | None, metric: Metric | str, **labels: str) -> float | None:
    return None if samples is None else samples.total(metric, **labels)


def _inserted(samples: Samples | None) -> float | None:
    """Return how many rows ClickHouse has inserted: the bundled one, or a server."""
    own = _total(samples, metrics.CLICKHOUSE_ROWS, kind="insert")
    return own if own is not None else _total(samples, CLICKHOUSE_INSERTED)


def _requests(samples: Samples | None, status: str = "") -> float | None:
    """Return the number of requests, except those of machines, whose status begins with `status`."""
    if samples is None:
        return None
    name = sample_name(metrics.HTTP_REQUESTS)
    return sum(
        one.value
        for one in samples.samples
        if one.name == name and one.labels["route"] not in PROBES and one.labels["status"].startswith(status)
    )


def _largest(samples: Samples | None, metric: Metric, label: str) -> float | None:
    return None if samples is None else _max(samples.by(metric, label).values())


def _age(samples: Samples | None, metric: Metric, label: str, now: datetime, which: Which) -> float | None:
    """Return the seconds since the newest (`max`) or the oldest (`min`) of the times of a metric."""
    times = None if samples is None else samples.by(metric, label)
    return max(0.0, now.timestamp() - which(times.values())) if times else None


def _max(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(sum(known)) if known else None
