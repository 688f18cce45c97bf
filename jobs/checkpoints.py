"""Finds a job's checkpoints on disk, and deletes those that no start can need.

A checkpoint is `<home>/flink/checkpoints/<job>/<fingerprint>/<Flink's job id>/chk-<n>/_metadata`. The
fingerprint is the plan's, so a job never restores the checkpoint of another plan. A restored job does not
change the checkpoint that it started from (Flink's claim mode NO_CLAIM), and its own first checkpoint is a
full one. After that the checkpoints of older attempts can be deleted.
"""

import shutil
from pathlib import Path

from common.settings import Settings
from jobs.plan import JobPlan

_SET_ASIDE = "refused-"


def job_checkpoints(settings: Settings, job: str) -> Path:
    """The folder of all checkpoints of a job, of every plan."""
    return settings.home / "flink" / "checkpoints" / job


def plan_checkpoints(settings: Settings, plan: JobPlan) -> Path:
    """The checkpoints that this plan can start from; Flink's `execution.checkpointing.dir`."""
    return job_checkpoints(settings, plan.name) / plan.fingerprint()


def newest(folder: Path) -> Path | None:
    """The newest completed checkpoint (its `chk-<n>` folder) in a plan's folder; None if there is none."""
    completed = [metadata for metadata in folder.glob("*/chk-*/_metadata") if metadata.stat().st_size]
    return max(completed, key=_written_at).parent if completed else None


def _written_at(metadata: Path) -> tuple[float, int]:
    return metadata.stat().st_mtime, int(metadata.parent.name.removeprefix("chk-"))


def set_aside(checkpoint: Path) -> Path:
    """Rename a checkpoint that no job could restore, so that `newest` finds the one before it."""
    return checkpoint.rename(checkpoint.with_name(_SET_ASIDE + checkpoint.name))


def prune(folder: Path, current: Path, running_job_id: str) -> list[Path]:
    """Delete the checkpoints of older plans and attempts, once the running attempt has completed one.

    Args:
        folder: the job's folder.
        current: the plan's folder within it.
        running_job_id: Flink's id of the running attempt; its folder is not changed.

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
