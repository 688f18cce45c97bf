"""Where a job's checkpoints are on disk, which one to start from, and which may go.

`<home>/flink/checkpoints/<job>/<fingerprint>/<Flink's job id>/chk-<n>/_metadata`: the fingerprint is the
plan's, so a checkpoint of other SQL is never restored. A restored job leaves the checkpoint that it came from
alone (Flink's claim mode NO_CLAIM) and its own first one is complete, so older attempts can go after that.
"""

import shutil
from pathlib import Path

from common.settings import Settings
from jobs.plan import Plan

REFUSED = "refused-"


def job_folder(settings: Settings, job: str) -> Path:
    """Everything that is kept of one job's checkpoints."""
    return settings.home / "flink" / "checkpoints" / job


def plan_folder(settings: Settings, plan: Plan) -> Path:
    """The checkpoints that this plan can start from; Flink's `execution.checkpointing.dir`."""
    return job_folder(settings, plan.name) / plan.fingerprint()


def newest(folder: Path) -> Path | None:
    """The completed checkpoint (its `chk-<n>` folder) that was written last under a plan's folder."""
    completed = [metadata for metadata in folder.glob("*/chk-*/_metadata") if metadata.stat().st_size]
    return max(completed, key=_written_at).parent if completed else None


def _written_at(metadata: Path) -> tuple[float, int]:
    return metadata.stat().st_mtime, int(metadata.parent.name.removeprefix("chk-"))


def refuse(checkpoint: Path) -> Path:
    """Put aside a checkpoint that no job could start from; the next newest takes its place."""
    return checkpoint.rename(checkpoint.with_name(REFUSED + checkpoint.name))


def prune(folder: Path, current: Path, running_job_id: str) -> list[Path]:
    """Delete what no start can need any more, once the running attempt has a completed checkpoint of its own.

    Args:
        folder: the job's folder.
        current: the plan's folder within it.
        running_job_id: Flink's id of the attempt that runs; its folder stays whole.

    Returns:
        The folders that were deleted.
    """
    attempt = current / running_job_id
    if not any(attempt.glob("chk-*/_metadata")):
        return []
    old_plans = [path for path in folder.iterdir() if path != current]
    old_attempts = [path for path in current.iterdir() if path != attempt]
    for path in (*old_plans, *old_attempts):
        shutil.rmtree(path, ignore_errors=True)
    return [*old_plans, *old_attempts]
