"""Finds a job's checkpoints on disk, and deletes those that are no longer needed.

A checkpoint is `<home>/flink/checkpoints/<job>/<fingerprint>/<Flink's job id>/chk-<n>/_metadata`. The
fingerprint is that of the job's plan, so a job never restores the checkpoint of another plan. A restored job
does not change the checkpoint that it started from (Flink's claim mode NO_CLAIM), and its own first
checkpoint is a full one. After that checkpoint, the checkpoints of older attempts can be deleted.
"""

import shutil
from pathlib import Path

from common.settings import Settings
from jobs.plan import JobPlan

_SET_ASIDE_PREFIX = "refused-"


def job_checkpoints(settings: Settings, job: str) -> Path:
    """Return the folder with the checkpoints of all plans of a job."""
    return settings.home / "flink" / "checkpoints" / job


def delete_checkpoints(settings: Settings, job: str) -> None:
    """Delete the checkpoints of all plans of a job that does not run any more."""
    shutil.rmtree(job_checkpoints(settings, job), ignore_errors=True)


def plan_checkpoints(settings: Settings, plan: JobPlan) -> Path:
    """Return the folder with the checkpoints of this plan (Flink's `execution.checkpointing.dir`)."""
    return job_checkpoints(settings, plan.name) / plan.fingerprint()


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest completed checkpoint (its `chk-<n>` folder) in a plan's folder, if there is one."""
    completed = [found for metadata in folder.glob("*/chk-*/_metadata") if (found := _completed(metadata))]
    return max(completed)[-1] if completed else None


def _completed(metadata: Path) -> tuple[float, int, Path] | None:
    """Return when a checkpoint was completed, its number, and its folder; None if it is not complete."""
    try:
        status = metadata.stat()
    except FileNotFoundError:  # a running job has deleted it meanwhile
        return None
    number = int(metadata.parent.name.removeprefix("chk-"))
    return (status.st_mtime, number, metadata.parent) if status.st_size else None


def set_aside(checkpoint: Path) -> Path:
    """Rename a checkpoint that can't be restored, so that `newest_checkpoint` returns the one before it."""
    return checkpoint.rename(checkpoint.with_name(_SET_ASIDE_PREFIX + checkpoint.name))


def prune_checkpoints(folder: Path, current: Path, running_job_id: str) -> list[Path]:
    """Delete the checkpoints of older plans and attempts if the running attempt has completed a checkpoint.

    Args:
        folder: the folder of the job.
        current: the folder of the running plan, within `folder`.
        running_job_id: Flink's id of the running attempt, whose folder is not changed.

    Returns:
        The deleted folders.
    """
    attempt = current / running_job_id
    if not any(attempt.glob("chk-*/_metadata")):
        return []
    old_plans = [path for path in folder.iterdir() if path != current]
    old_attempts = [path for path in current.iterdir() if path != attempt]
    for path in (*old_plans, *old_attempts):
        shutil.rmtree(path, ignore_errors=True)
    return [*old_plans, *old_attempts]
