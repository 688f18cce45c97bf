"""`python -m jobs.reconciler`: keeps exactly one Flink job running for each plan that must run.

Those are the plans of this checkout, and of other versions of its jobs (`jobs/version_controller.py`).

Flink itself restarts a job whose tasks fail. A session cluster without high availability loses its jobs when
the JobManager dies. The reconciler submits each missing job from its newest checkpoint: a job that was never
started, that failed for good, or whose JobManager died. SIGTERM ends the reconciler; the jobs keep running
and their checkpoints stay.

The reconciler never cancels jobs of other installations on the same Flink, even if they have the same names.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import structlog

from clickhouse import readiness as clickhouse_readiness
from common.consumer_lag import export_lag
from common.errors import PartUnavailable
from common.job_versions import LIVE_FIELD, key_prefix, state_key
from common.metrics import JOB_SUBMISSIONS, RECOMMENDATIONS_AS_OF
from common.readiness import Check, NotReady
from common.redis_client import as_part_unavailable, redis_client, require_redis
from common.settings import Settings
from common.tracing import configure_tracing
from common.worker_process import run_worker
from jobs.checkpoints import (
    job_checkpoints,
    newest_checkpoint,
    plan_checkpoints,
    prune_checkpoints,
    set_aside,
)
from jobs.fingerprint import FILES_DIGEST, plan_files_digest
from jobs.flink_client import (
    FINGERPRINT,
    INITIALIZING,
    INSTALLATION,
    FlinkClient,
    FlinkJob,
    causes,
    installation_id,
)
from jobs.flink_metrics import FlinkMetrics
from jobs.plan import JobPlan
from jobs.registry import JOBS
from jobs.submit import run_submission
from jobs.traces.follower import follow_traces
from jobs.version_controller import FlinkView, VersionController


def checks(settings: Settings) -> Mapping[str, Check]:
    """Return the checks by name."""
    flink = FlinkClient(settings.flink)  # for as long as the process runs
    return {
        **clickhouse_readiness.checks(settings),
        "redis": lambda: require_redis(settings),
        "flink": flink.require,
        "jobs": lambda: require_jobs(flink.jobs()),
    }


def require_jobs(listed: Sequence[FlinkJob]) -> None:
    """Check that a version of every job runs. `listed` is oldest first.

    Raises:
        NotReady: a job is in another state. The message has the states of all such jobs.
    """
    ordered = sorted(listed, key=lambda job: job.running)  # the newest attempt, unless one runs
    newest = {job.name.partition("@")[0]: job for job in ordered}
    missing = [f"{name} is {state}" for name in JOBS if (state := _hindrance(newest.get(name)))]
    if missing:
        raise NotReady(", ".join(missing))


def _hindrance(job: FlinkJob | None) -> str:
    """Return the state of a job that does not run; empty if it runs."""
    if job is None:
        return "not there"
    if job.running:
        return ""
    return "RUNNING without all of its tasks" if job.state == "RUNNING" else job.state


log = structlog.get_logger()

POLL_S = 2.0
PRUNE_EVERY_S = 30.0
MAX_BACKOFF_S = 30.0
LEFTOVER_TASKS_TIMEOUT_S = 90.0
"""How long to wait for the tasks of a dead JobManager to end: two attempts must not write the same tables."""

RESTORE_TIMEOUT_S = 60.0
"""How long a job may fail to restore its state before its checkpoint is set aside."""

RECOMMENDATIONS = "recommendations"
AS_OF_KEY = "recommendations_as_of"
"""The hash that the live version of the job writes: kind of event → the time of the newest one, in Unix
seconds (`recommendations_as_of.sql`)."""


def duplicates(jobs: Sequence[FlinkJob]) -> list[FlinkJob]:
    """Return the live jobs for which an older live job of the same name exists; `jobs` is oldest first."""
    oldest: dict[str, FlinkJob] = {}
    live = [job for job in jobs if not job.ended]
    return [job for job in live if oldest.setdefault(job.name, job) is not job]


RESTORE_FAILURES = (
    "CheckpointCoordinator.restoreSavepoint",
    "Could not restore",
    "BackendBuildingException",
    "StateMigrationException",
)
"""Parts of stack traces of jobs whose checkpoint can't be read or does not fit the job."""


def is_restore_failure(stacktrace: str) -> bool:
    """Return whether a job failed to restore its state; an unreachable server is another failure."""
    return any(text in stacktrace for text in RESTORE_FAILURES)


class JobReconciler:
    """Compares the jobs that run with the plans, and submits or cancels jobs until they agree.

    Attributes:
        failures: name of a job → how often in a row its submission has failed.
        other_slots: the number of slots that jobs of other installations use.
    """

    def __init__(
        self, settings: Settings, flink: FlinkClient, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._settings = settings
        self._is_stopping = is_stopping
        self._plans: Mapping[str, JobPlan] = {}
        self._flink = flink
        self._installation = installation_id(settings)
        self._parameters: dict[str, Mapping[str, str]] = {}  # Flink's job id → its parameters
        self._next_ids: dict[str, str] = {}  # job name → the id of its next submission
        self._submitted_ids: set[str] = set()
        self._next_submit_at: dict[str, float] = {}
        self.failures: dict[str, int] = {}
        self.other_slots = 0
        self._next_prune_at = 0.0
        self._leftover_tasks_since: float | None = None
        self._failed_ids: set[str] = set()  # jobs whose failure has been logged

    def poll(
        self, plans: Mapping[str, JobPlan], tolerated: Collection[str] | None = ()
    ) -> Mapping[str, FlinkJob]:
        """Compare once; return this installation's live jobs by name, as they were before any change.

        Args:
            plans: the plans that must run, by name.
            tolerated: names of jobs that may run on without a plan; None for all.

        Raises:
            PartUnavailable: Flink does not answer.
        """
        self._plans = plans
        listed = self._flink.jobs()
        self._drop_stale({job.id for job in listed})
        jobs = [job for job in listed if self._is_ours(job)]
        others = [job for job in listed if job not in jobs and not job.ended]
        unwanted = {job.id: "an older job of this name runs" for job in duplicates(jobs)}
        for job_id in unwanted:
            log.error(
                "a job runs twice: some of its newest figures may be too low until their next change",
                id=job_id,
            )
        for job in (job for job in jobs if not job.ended and job.id not in unwanted):
            if job.name not in self._plans:
                if tolerated is not None and job.name not in tolerated:
                    unwanted[job.id] = "no reader needs it any more"
            elif not self._is_current(job):
                unwanted[job.id] = "its plan has changed"
            elif self._set_aside_unrestorable_checkpoint(job):
                unwanted[job.id] = "its checkpoint can't be restored"
        for job_id, reason in unwanted.items():
            log.warning("cancelling", id=job_id, reason=reason)
            self._flink.cancel(job_id)
        live = {job.name: job for job in jobs if not job.ended}
        starting = {job.name for job in listed if job.state == INITIALIZING}
        missing = [name for name in self._plans if name not in live and name not in starting]
        for name in missing:
            self._check_last_attempt([job for job in jobs if job.name == name])
        self.failures = {name: count for name, count in self.failures.items() if name in missing}
        self.other_slots = sum(self._flink.parallelism(job.id) for job in others)
        if missing:
            self._submit(missing, list(live.values()))
        self._prune([job for job in live.values() if job.name in self._plans and job.id not in unwanted])
        return live

    def _drop_stale(self, listed: set[str]) -> None:
        """Drop the entries of jobs that Flink no longer lists, and the next ids that Flink lists now."""
        self._parameters = {job_id: values for job_id, values in self._parameters.items() if job_id in listed}
        self._next_ids = {name: next_id for name, next_id in self._next_ids.items() if next_id not in listed}
        self._submitted_ids &= listed | set(self._next_ids.values())

    def _is_ours(self, job: FlinkJob) -> bool:
        return job.id in self._submitted_ids or (self._parameter(job, INSTALLATION) == self._installation)

    def _is_current(self, job: FlinkJob) -> bool:
        if job.state == INITIALIZING:
            return True
        return self._parameter(job, FINGERPRINT) == self._plans[job.name].fingerprint()

    def _parameter(self, job: FlinkJob, name: str) -> str:
        """Return a parameter of a job; empty if Flink does not list it, or not yet."""
        if job.id not in self._parameters:
            values = self._flink.parameters(job.id)
            if not values and not job.ended:
                return ""
            self._parameters[job.id] = values
        return self._parameters[job.id].get(name, "")

    def _set_aside_unrestorable_checkpoint(self, job: FlinkJob) -> bool:
        """Set a job's checkpoint aside if the job keeps failing to restore it; return whether it does."""
        if job.state != "RESTARTING" or time.time() - job.started_ms / 1000 < RESTORE_TIMEOUT_S:
            return False
        if not is_restore_failure(self._flink.last_failure(job.id)) or self._flink.has_run(job.id):
            return False
        self._set_aside_checkpoint(job.name)
        return True

    def _check_last_attempt(self, attempts: Sequence[FlinkJob]) -> None:
        """Log a job's failure; set its checkpoint aside if two attempts in a row failed to restore it."""
        if not attempts or attempts[-1].state != "FAILED" or attempts[-1].id in self._failed_ids:
            return
        last = attempts[-1]
        trace = self._flink.last_failure(last.id)
        log.error("failed", job=last.name, id=last.id, reason=(causes(trace) or ["unknown"])[-1])
        self._failed_ids.add(last.id)
        if is_restore_failure(trace) and len(attempts) > 1 and attempts[-2].id in self._failed_ids:
            self._set_aside_checkpoint(last.name)

    def _set_aside_checkpoint(self, name: str) -> None:
        if checkpoint := newest_checkpoint(plan_checkpoints(self._settings, self._plans[name])):
            log.error("setting a checkpoint aside", job=name, checkpoint=str(set_aside(checkpoint)))

    def _submit(self, missing: Sequence[str], live: Sequence[FlinkJob]) -> None:
        now = time.monotonic()
        names = [name for name in missing if now >= self._next_submit_at.get(name, 0.0)]
        if not names or self._has_leftover_tasks(live):
            return
        log.info("submitting", jobs=names)
        # A job keeps its next id until Flink lists it. If a slow JobManager accepts a job after the timeout,
        # the next submission has the same id, and Flink rejects it.
        job_ids = [self._next_ids.setdefault(name, uuid4().hex) for name in names]
        self._submitted_ids.update(job_ids)
        if error := run_submission(names, job_ids, self._settings, self._is_stopping):
            log.error("could not submit all jobs", jobs=names, error=error)
        for name in names:
            # After a failure, those that Flink has accepted are no longer missing at the next poll.
            self.failures[name] = self.failures.get(name, 0) + 1 if error else 0
            delay = min(MAX_BACKOFF_S, 2.0 ** self.failures[name]) if error else POLL_S
            self._next_submit_at[name] = time.monotonic() + delay
            JOB_SUBMISSIONS.labels(name.partition("@")[0], "failed" if error else "taken").inc()

    def _has_leftover_tasks(self, live: Sequence[FlinkJob]) -> bool:
        """Return whether a submission must wait for slots.

        It waits while no TaskManager is registered, and up to `LEFTOVER_TASKS_TIMEOUT_S` while more slots are
        in use than all live jobs need.
        """
        total, free = self._flink.slots()
        if not total:
            return True
        needed = len(live) * self._settings.job_parallelism + self.other_slots
        if total - free <= needed:
            self._leftover_tasks_since = None
            return False
        if self._leftover_tasks_since is None:
            log.info("waiting for the tasks of a lost JobManager to end", slots=total, free=free)
            self._leftover_tasks_since = time.monotonic()
        return time.monotonic() - self._leftover_tasks_since < LEFTOVER_TASKS_TIMEOUT_S

    def _prune(self, live: Sequence[FlinkJob]) -> None:
        if time.monotonic() < self._next_prune_at:
            return
        self._next_prune_at = time.monotonic() + PRUNE_EVERY_S
        for job in live:
            folder = job_checkpoints(self._settings, job.name)
            current = plan_checkpoints(self._settings, self._plans[job.name])
            if deleted := prune_checkpoints(folder, current, job.id):
                log.info("pruned old checkpoints", job=job.name, folders=len(deleted))


def job_of_group(group: str) -> str:
    """Return the job of a consumer group, which has the name of a version of it; empty for other groups."""
    job = group.partition("@")[0]
    return job if job in JOBS else ""


@dataclass
class PollAction:
    """An action of the loop. A part that does not answer is logged once, and the action is tried again."""

    what: str
    action: Callable[[], None]
    has_answered: bool = True

    def run(self) -> None:
        """Run the action."""
        try:
            self.action()
            self.has_answered = True
        except PartUnavailable as error:
            if self.has_answered:
                log.warning("waiting", action=self.what, error=str(error))
            self.has_answered = False


def export_recommendations_as_of(settings: Settings, client: Any) -> None:
    """Set `RECOMMENDATIONS_AS_OF` from what the live version has written to Redis.

    `client` is a `redis.Redis`, which decodes responses.

    Raises:
        PartUnavailable: Redis does not answer.
    """
    with as_part_unavailable(settings):
        live: str = client.hget(state_key(RECOMMENDATIONS), LIVE_FIELD) or ""
        moments: dict[str, str] = client.hgetall(f"{key_prefix(live)}{AS_OF_KEY}")
    for event, as_of_s in moments.items():
        RECOMMENDATIONS_AS_OF.labels(event).set(float(as_of_s))


def work(settings: Settings, stop: threading.Event) -> None:
    """Keep the jobs running, until `stop` is set."""
    is_as_started = os.environ.get(FILES_DIGEST) in (None, plan_files_digest())
    if not is_as_started:
        log.warning("the checkout has changed since `./souk up`: its jobs are proposed by the next one")
    with FlinkClient(settings.flink) as flink, redis_client(settings) as client:
        reconciler, metrics = JobReconciler(settings, flink, stop.is_set), FlinkMetrics(flink, JOBS)
        controller = VersionController(settings, client, flink, trusts_checkout=is_as_started)

        def poll() -> None:
            live = reconciler.poll(controller.plans, controller.tolerated)
            controller.view = FlinkView(set(live), reconciler.other_slots, reconciler.failures)
            metrics.update({job: live[name] for job, name in controller.live_names.items() if name in live})

        threading.Thread(
            target=export_lag,
            args=(settings.kafka, stop, lambda: controller.unfinished, job_of_group),
            daemon=True,
        ).start()
        configure_tracing(settings)
        threading.Thread(target=follow_traces, args=(settings, stop), daemon=True).start()
        poll_step = PollAction("polling Flink", poll)
        steps = (
            PollAction("choosing versions", controller.choose),
            poll_step,
            PollAction("measuring versions", controller.advance),
            PollAction(
                "reading the age of recommendations", partial(export_recommendations_as_of, settings, client)
            ),
            PollAction("deleting versions", controller.delete_dropped),
        )
        poll_step.run()  # so that the first choice knows what runs
        while not stop.is_set():
            for step in steps:
                if not stop.is_set():
                    step.run()
            stop.wait(POLL_S)


if __name__ == "__main__":
    sys.exit(run_worker("reconciler", "jobs", work, checks))
