"""The Flink jobs: whether they run, their checkpoints, load, lag and versions."""

from collections.abc import Mapping
from typing import Any

import orjson
from redis.asyncio import Redis

from common import metrics
from common.job_versions import LIVE_FIELD, VERSIONED_JOBS, state_key, versioned_name
from serving.kit.redis_client import run_redis
from serving.ops.overview.samples import Samples
from serving.ops.overview.schemas import JobStatus, JobVersions

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
