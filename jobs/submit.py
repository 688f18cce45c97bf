"""`python -m jobs.submit NAME…`: submit jobs to Flink, each from its newest checkpoint.

Prints a line `NAME JOB_ID CHECKPOINT` for each job; CHECKPOINT is `-` if the job starts without a
checkpoint. One JVM submits all jobs.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import structlog
import typer

from common.errors import SoukError, UserError
from common.settings import ROOT, Settings
from common.telemetry import configure_logging
from jobs.checkpoints import newest_checkpoint, plan_checkpoints
from jobs.flink_client import FINGERPRINT, INSTALLATION, installation_id
from jobs.plan import JobPlan
from jobs.registry import JOBS, VERSIONED_PLANS
from jobs.versions import live_names, stored_plan

TIMEOUT_S = 180.0
"""The time limit of a submission, for each job in it."""

STOP_POLL_S = 0.2
"""How soon it is seen that the caller must stop."""


def run_submission(
    names: Sequence[str], job_ids: Sequence[str], settings: Settings, is_stopping: Callable[[], bool]
) -> str:
    """Submit jobs with these ids; return why that failed, and an empty string if it did not.

    Once `is_stopping`, the submission has `stop_timeout_s` to end. Flink then has a job or not, and the next
    reconciler submits those that are missing.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.submit", *names, *(f"--job-id={job_id}" for job_id in job_ids)],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,  # its log has all that it prints
    )  # fmt: skip
    deadline = time.monotonic() + TIMEOUT_S * len(names)
    must_stop = False
    while process.poll() is None and time.monotonic() < deadline:
        if not must_stop and is_stopping():
            must_stop = True
            deadline = min(deadline, time.monotonic() + settings.stop_timeout_s)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_POLL_S)
    if process.poll() is None:
        process.kill()
        process.wait()
        return "its process was stopped" if must_stop else "it took too long"
    return f"its process ended with code {process.returncode}" if process.returncode else ""


log = structlog.get_logger()


def client_jars(settings: Settings) -> list[Path]:
    """Return the jars of the connectors and formats that plans use; the planner loads their classes."""
    root = settings.install / "share" / "souk"
    return sorted(path for group in ("flink", "connectors") for path in (root / group).glob("*.jar"))


def submission_config(
    settings: Settings, plan: JobPlan, checkpoint: Path | None, job_id: str | None = None
) -> dict[str, str]:
    """Return the plan's options with Flink's address, the checkpoint folder and the checkpoint to start from.

    `job_id` is 32 hexadecimal digits. Flink rejects a second job with the same id. Without `job_id` Flink
    generates an id.
    """
    flink = urlsplit(settings.flink)
    config = {
        **plan.config,
        "execution.target": "remote",
        "execution.attached": "false",
        "rest.address": flink.hostname or "",
        "rest.port": str(flink.port or 8081),
        # A URI without escapes, which Flink does not decode.
        "execution.checkpointing.dir": f"file://{plan_checkpoints(settings, plan)}",
        "pipeline.global-job-parameters": ",".join(
            f"{name}:{value}"
            for name, value in ((FINGERPRINT, plan.fingerprint()), (INSTALLATION, installation_id(settings)))
        ),
    }
    if job_id:
        config["$internal.pipeline.job-id"] = job_id
    if checkpoint is None:
        return config
    return {
        **config,
        # Without escapes, too.
        "execution.state-recovery.path": f"file://{checkpoint.resolve()}",
        "execution.state-recovery.claim-mode": "NO_CLAIM",
    }


def find_plans(names: Iterable[str], settings: Settings) -> list[JobPlan]:
    """Return the plans of jobs (`rankings`: the live version) and of versions (`rankings@1a2b3c4d`).

    Raises:
        UserError: there is no such job or version.
        PartUnavailable: Redis, which knows the live versions, does not answer.
    """
    live = live_names(settings) if set(names) & VERSIONED_PLANS.keys() else {}
    plans = []
    for name in names:
        found = live.get(name, name)
        plan = JOBS[found](settings) if found in JOBS else stored_plan(settings, found)
        if plan is None:
            raise UserError(
                f"there is no job {name!r}: choose from {', '.join(JOBS)}, or name a version of "
                "`./souk metrics list`, such as rankings@1a2b3c4d"
            )
        plans.append(plan)
    return plans


def command(
    names: Annotated[
        list[str], typer.Argument(help=f"Jobs: {', '.join(JOBS)}; or versions: rankings@1a2b3c4d.")
    ],
    restore: Annotated[Path | None, typer.Option(help="A checkpoint folder (chk-…) to start from.")] = None,
    fresh: Annotated[bool, typer.Option(help="Start without a checkpoint.")] = False,
    job_id: Annotated[list[str] | None, typer.Option(help="Flink's id of each job, in order.")] = None,
) -> None:
    """Submit jobs to Flink, each from its newest checkpoint by default."""
    if restore and (fresh or len(names) > 1):
        raise UserError("--restore takes one job, and can't be combined with --fresh")
    if job_id and len(job_id) != len(names):
        raise UserError(f"give one --job-id for each job: {len(names)} jobs, {len(job_id)} ids")
    from jobs.engine import SubmissionFailed, start_jvm, submit

    settings = Settings.load()
    plans = find_plans(names, settings)
    start_jvm(client_jars(settings), logs=settings.home / "logs")
    failed = []
    for plan, chosen_id in zip_longest(plans, job_id or ()):
        started_at = time.monotonic()
        checkpoint = None if fresh else restore or newest_checkpoint(plan_checkpoints(settings, plan))
        try:
            submitted = submit(plan, submission_config(settings, plan, checkpoint, chosen_id))
        except SubmissionFailed as error:
            log.error("not submitted", job=plan.name, checkpoint=str(checkpoint or "-"), error=str(error))
            failed.append(plan.name)
            continue
        print(plan.name, submitted, checkpoint or "-", flush=True)
        seconds = round(time.monotonic() - started_at, 1)
        log.info("submitted", job=plan.name, id=submitted, checkpoint=str(checkpoint or "-"), seconds=seconds)
    if failed:
        raise SoukError(f"not submitted: {', '.join(failed)}")


def main() -> int:
    """Run the command; return 0 if all jobs were submitted, 1 after a failure, 2 after a user's mistake."""
    configure_logging("submit")
    try:
        typer.run(command)
    except SoukError as error:
        log.error("failed", reason=str(error))
        return 2 if isinstance(error, UserError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
