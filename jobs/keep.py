"""`python -m jobs.keep`: keeps every job running, once, with the plan of this checkout.

Flink itself restarts a job whose tasks fail. This loop does what a session cluster without high availability
does not: when a job is gone (its JobManager died, it failed for good, it never started) it submits it again
from its newest checkpoint. SIGTERM ends the loop and leaves the jobs and their checkpoints alone.

Jobs of others on the same Flink, whatever their names, are not looked at.
"""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from uuid import uuid4

import structlog

from common.errors import PartUnavailable, UserError
from common.metrics import JOB_SUBMISSIONS, serve
from common.settings import ROOT, Settings
from common.telemetry import configure_logging
from jobs.checkpoints import job_folder, newest, plan_folder, prune, refuse
from jobs.figures import Figures
from jobs.plan import Plan
from jobs.registry import JOBS
from jobs.rest import COPY, FINGERPRINT, INITIALIZING, Flink, Job, causes
from jobs.submit import copy_id
from jobs.waiting import watch

log = structlog.get_logger()

POLL_S = 2.0
PRUNE_EVERY_S = 30.0
SUBMIT_TIMEOUT_S = 180.0
"""For each job that is submitted."""

LONGEST_BACKOFF_S = 30.0
LEFTOVER_TASKS_TIMEOUT_S = 90.0
"""How long to wait for a dead JobManager's tasks to go: two copies of a job must not write at once."""

RESTORE_TIMEOUT_S = 60.0
"""How long a job may fail to restore its state before its checkpoint is put aside."""


def duplicates(jobs: Sequence[Job]) -> list[Job]:
    """The live jobs that an older live one of the same name makes superfluous."""
    seen: set[str] = set()
    extra = []
    for job in (job for job in jobs if not job.ended):
        if job.name in seen:
            extra.append(job)
        seen.add(job.name)
    return extra


RESTORING = (
    "CheckpointCoordinator.restoreSavepoint",
    "Could not restore",
    "BackendBuildingException",
    "StateMigrationException",
)
"""What stack traces hold when a checkpoint can't be read or does not fit."""


def blames_checkpoint(stacktrace: str) -> bool:
    """Whether a failure is about the state that a job starts from, rather than a server that is away."""
    return any(words in stacktrace for words in RESTORING)


class Keeper:
    """The loop's memory between two polls."""

    def __init__(self, settings: Settings, plans: Mapping[str, Plan], flink: Flink) -> None:
        self._settings = settings
        self._plans = plans
        self._flink = flink
        self._copy = copy_id(settings)
        self._parameters: dict[str, Mapping[str, str]] = {}
        self._next_ids: dict[str, str] = {}
        self._chosen: set[str] = set()
        self._failures = 0
        self._next_submit_at = 0.0
        self._next_prune_at = 0.0
        self._leftovers_since: float | None = None
        self._struck: set[str] = set()

    def poll(self) -> Mapping[str, Job]:
        """Look once, and do what is missing; returns our live jobs by name, as they were found.

        Raises:
            PartUnavailable: Flink does not answer.
        """
        known = self._flink.jobs()
        self._forget({job.id for job in known})
        jobs = [job for job in known if self._is_ours(job)]
        others = [job for job in known if job not in jobs and not job.ended]
        unwanted = {job.id: "another one runs" for job in duplicates(jobs)}
        for job_id in unwanted:
            log.error(
                "a job runs twice: its newest rows may stand too low until their keys change", id=job_id
            )
        for job in (job for job in jobs if not job.ended and job.id not in unwanted):
            if not self._is_current(job):
                unwanted[job.id] = "its plan has changed"
            elif self._cannot_restore(job):
                unwanted[job.id] = "its checkpoint can't be restored"
        for job_id, reason in unwanted.items():
            log.warning("cancelling", id=job_id, reason=reason)
            self._flink.cancel(job_id)
        live = {job.name: job for job in jobs if not job.ended}
        starting = {job.name for job in known if job.state == INITIALIZING}
        missing = [name for name in self._plans if name not in live and name not in starting]
        for name in missing:
            self._judge_last_attempt([job for job in jobs if job.name == name])
        if missing:
            self._submit(missing, list(live.values()), others)
        self._prune([job for job in live.values() if job.id not in unwanted])
        return live

    def _forget(self, known: set[str]) -> None:
        """Drop what was remembered of jobs that Flink has forgotten, and chosen ids that are taken now."""
        self._parameters = {job_id: read for job_id, read in self._parameters.items() if job_id in known}
        self._next_ids = {name: chosen for name, chosen in self._next_ids.items() if chosen not in known}
        self._chosen &= known | set(self._next_ids.values())

    def _is_ours(self, job: Job) -> bool:
        return job.id in self._chosen or (
            job.name in self._plans and self._parameter(job, COPY) == self._copy
        )

    def _is_current(self, job: Job) -> bool:
        if job.state == INITIALIZING:
            return True
        return self._parameter(job, FINGERPRINT) == self._plans[job.name].fingerprint()

    def _parameter(self, job: Job, name: str) -> str:
        """A parameter of a job; empty while Flink does not know it, and if the job failed before it did."""
        if job.id not in self._parameters:
            read = self._flink.parameters(job.id)
            if not read and not job.ended:
                return ""
            self._parameters[job.id] = read
        return self._parameters[job.id].get(name, "")

    def _cannot_restore(self, job: Job) -> bool:
        """Put aside the checkpoint of a job that fails to start from it over and over."""
        if job.state != "RESTARTING" or time.time() - job.started_ms / 1000 < RESTORE_TIMEOUT_S:
            return False
        if not blames_checkpoint(self._flink.failure(job.id)) or self._flink.has_run(job.id):
            return False
        self._refuse(job.name)
        return True

    def _judge_last_attempt(self, attempts: Sequence[Job]) -> None:
        """Put aside the checkpoint from which two attempts in a row could not start."""
        if not attempts or attempts[-1].state != "FAILED" or attempts[-1].id in self._struck:
            return
        last = attempts[-1]
        trace = self._flink.failure(last.id)
        log.error("failed", job=last.name, id=last.id, reason=(causes(trace) or ["unknown"])[-1])
        self._struck.add(last.id)
        if blames_checkpoint(trace) and len(attempts) > 1 and attempts[-2].id in self._struck:
            self._refuse(last.name)

    def _refuse(self, name: str) -> None:
        if checkpoint := newest(plan_folder(self._settings, self._plans[name])):
            log.error("putting a checkpoint aside", job=name, checkpoint=str(refuse(checkpoint)))

    def _submit(self, names: Sequence[str], live: Sequence[Job], others: Sequence[Job]) -> None:
        if time.monotonic() < self._next_submit_at or self._leftovers(live, others):
            return
        log.info("submitting", jobs=list(names))
        # The id stays until Flink shows a job of it: what a slow JobManager took in spite of a timeout is not
        # submitted a second time beside it.
        chosen = [self._next_ids.setdefault(name, uuid4().hex) for name in names]
        self._chosen.update(chosen)
        try:
            subprocess.run(
                [sys.executable, "-m", "jobs.submit", *names, *(f"--job-id={job_id}" for job_id in chosen)],
                cwd=ROOT, check=True, timeout=SUBMIT_TIMEOUT_S * len(names), stdin=subprocess.DEVNULL,
            )  # fmt: skip
            self._failures = 0
            delay, outcome = POLL_S, "taken"
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            self._failures += 1
            delay, outcome = min(LONGEST_BACKOFF_S, 2.0**self._failures), "failed"
            log.error("could not submit", jobs=list(names), error=str(error), again_in_s=delay)
        for name in names:
            JOB_SUBMISSIONS.labels(name, outcome).inc()
        self._next_submit_at = time.monotonic() + delay

    def _leftovers(self, live: Sequence[Job], others: Sequence[Job]) -> bool:
        """Whether TaskManagers are away, or still hold more slots than the live jobs need, others' too."""
        total, free = self._flink.slots()
        if not total:
            return True
        needed = len(live) * self._settings.job_parallelism
        needed += sum(self._flink.parallelism(job.id) for job in others)
        if total - free <= needed:
            self._leftovers_since = None
            return False
        if self._leftovers_since is None:
            log.info("waiting for the tasks of a lost JobManager to end", slots=total, free=free)
            self._leftovers_since = time.monotonic()
        return time.monotonic() - self._leftovers_since < LEFTOVER_TASKS_TIMEOUT_S

    def _prune(self, live: Sequence[Job]) -> None:
        if time.monotonic() < self._next_prune_at:
            return
        self._next_prune_at = time.monotonic() + PRUNE_EVERY_S
        for job in live:
            plan = self._plans[job.name]
            gone = prune(job_folder(self._settings, job.name), plan_folder(self._settings, plan), job.id)
            if gone:
                log.info("pruned old checkpoints", job=job.name, folders=len(gone))


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    configure_logging("keep")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = Settings.load()
        plans = {name: build(settings) for name, build in JOBS.items()}
        serve(settings.port("jobs"))
    except UserError as error:
        print(f"keep: {error}", file=sys.stderr)
        return 2
    threading.Thread(target=watch, args=(settings.kafka, stop), daemon=True).start()
    answered = True
    with Flink(settings.flink) as flink:
        keeper, figures = Keeper(settings, plans, flink), Figures(flink, plans)
        while not stop.is_set():
            try:
                figures.show(keeper.poll())
                answered = True
            except PartUnavailable as error:
                if answered:
                    log.warning("waiting for Flink", error=str(error))
                answered = False
            stop.wait(POLL_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
