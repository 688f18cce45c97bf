"""Has the jobs of this copy commit what they have read, without waiting for their next checkpoint."""

from collections.abc import Collection
from contextlib import suppress

from common.errors import PartUnavailable
from common.settings import Settings
from jobs.rest import COPY, Flink, Job
from jobs.submit import copy_id


def commit_soon(settings: Settings, names: Collection[str]) -> None:
    """Ask the running jobs of these names for a checkpoint, unless one is under way.

    Where Flink does not answer or refuses, the next checkpoint comes by itself.
    """
    own = copy_id(settings)
    with Flink(settings.flink) as flink, suppress(PartUnavailable):
        for job in _running(flink, names):
            with suppress(PartUnavailable):
                if _is_ours(flink, job, own) and not flink.checkpoints(job.id).under_way:
                    flink.start_checkpoint(job.id)


def uncommitted(settings: Settings, names: Collection[str]) -> int:
    """How many of these jobs do not run, or have committed nothing since they were submitted: what their
    groups have committed says nothing of them then.

    Raises:
        PartUnavailable: Flink does not answer.
    """
    own = copy_id(settings)
    with Flink(settings.flink) as flink:
        committed = {
            job.name
            for job in _running(flink, names)
            if _is_ours(flink, job, own) and flink.checkpoints(job.id).newest_ms is not None
        }
    return len(set(names) - committed)


def _running(flink: Flink, names: Collection[str]) -> list[Job]:
    return [job for job in flink.jobs() if job.name in names and job.state == "RUNNING"]


def _is_ours(flink: Flink, job: Job, own: str) -> bool:
    return flink.parameters(job.id).get(COPY) == own
