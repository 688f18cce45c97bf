"""Triggers checkpoints of this installation's jobs; a checkpoint commits the job's offsets in Kafka."""

from collections.abc import Collection
from contextlib import suppress

from common.errors import PartUnavailable
from common.settings import Settings
from jobs.flink_client import INSTALLATION, FlinkClient, FlinkJob
from jobs.submit import installation_id


def trigger_checkpoints(settings: Settings, names: Collection[str] = ()) -> None:
    """Trigger a checkpoint of each running job that has no checkpoint in progress; of all, or of `names`.

    Errors of Flink are ignored, because the next periodic checkpoint commits the same offsets.
    """
    installation = installation_id(settings)
    with FlinkClient(settings.flink) as flink, suppress(PartUnavailable):
        for job in _running(flink, names):
            with suppress(PartUnavailable):
                if _is_ours(flink, job, installation) and not flink.checkpoints(job.id).in_progress:
                    flink.trigger_checkpoint(job.id)


def jobs_without_checkpoint(settings: Settings, names: Collection[str]) -> int:
    """Count the jobs that do not run, or have not completed a checkpoint since they were submitted.

    The committed offsets of such a job's consumer group may come from an earlier attempt.

    Raises:
        PartUnavailable: Flink does not answer.
    """
    installation = installation_id(settings)
    with FlinkClient(settings.flink) as flink:
        checkpointed = {
            job.name
            for job in _running(flink, names)
            if _is_ours(flink, job, installation) and flink.checkpoints(job.id).completed_ms is not None
        }
    return len(set(names) - checkpointed)


def _running(flink: FlinkClient, names: Collection[str]) -> list[FlinkJob]:
    """Return the running jobs; all of them if `names` is empty."""
    return [job for job in flink.jobs() if job.state == "RUNNING" and (not names or job.name in names)]


def _is_ours(flink: FlinkClient, job: FlinkJob, installation: str) -> bool:
    return flink.parameters(job.id).get(INSTALLATION) == installation
