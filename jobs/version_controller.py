"""Decides which versions of the jobs run, switches readers to a complete one, and deletes dropped ones.

The reconciler (`jobs/reconciler.py`) asks for the plans to run whenever it polls Flink.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

import redis
import structlog

from common.consumer_lag import Offsets, delete_group, end_offsets, lag_of_readers
from common.job_versions import VERSIONED_JOBS, key_prefix, versioned_name
from common.settings import Settings
from jobs.checkpoint_trigger import jobs_without_checkpoint, trigger_checkpoints
from jobs.checkpoints import delete_checkpoints
from jobs.connectors.build import SOURCES
from jobs.fingerprint import function_code
from jobs.flink_client import FlinkClient
from jobs.plan import PLANNER, JobPlan
from jobs.registry import JOBS, TOPICS_BY_JOB, VERSIONED_PLANS
from jobs.version_keys import as_part_unavailable, delete_keys, has_keys, has_room_for_a_copy, output_keys
from jobs.versions import (
    UNVERSIONED,
    JobVersions,
    VersionState,
    defined_plan,
    delete_plan,
    deleted,
    measured,
    proposed,
    started,
    store_plan,
    stored_plan,
    switched,
    with_problem,
    without_before,
)

log = structlog.get_logger()

COMPLETE_WITHIN_S = 15.0
"""A version is complete when it has written all that was in Kafka at a moment at most this long ago."""

COMMIT_EVERY_S = 5.0
"""How often a checkpoint of a version that is not complete is triggered; a checkpoint commits its offsets."""

BEFORE_KEPT_S = 24 * 3_600.0
"""How long the version before the live one is fed, so that readers can go back to it."""

DELETE_AFTER_S = 60.0
"""How long the keys of a dropped version stay. A request that began before a switch may still read them."""

DELETING = "its old keys are deleted first"
NO_SLOT = "no slot of Flink is free for it: `./souk metrics list` shows what else is built"
OTHER_CODE = "Flink has loaded other Java functions: run `./souk up` in the checkout that defines it"
NO_MEMORY = "Redis has no room for a second copy of its keys: raise maxmemory"


@dataclass(frozen=True)
class Allocation:
    """Which versions get slots: job → the next version runs, or the version before runs."""

    nexts: tuple[str, ...]
    befores: tuple[str, ...]


def allocate(states: Mapping[str, VersionState], free: int) -> Allocation:
    """Divide the slots that live versions leave. Versions that are built come first, then newest befores."""
    nexts = [job for job, state in states.items() if state.next][: max(0, free)]
    befores = sorted(
        (job for job, state in states.items() if state.before), key=lambda job: -states[job].switched_at
    )
    return Allocation(tuple(nexts), tuple(befores[: max(0, free - len(nexts))]))


@dataclass
class _Progress:
    """The ends of the topics that a version must have read, when they were read, and the last checkpoint."""

    ends: Offsets
    read_at: float
    triggered_at: float = float("-inf")


class VersionController:
    """The versions of this installation's jobs. Call `choose` before and `advance` after each poll of Flink.

    Attributes:
        plans: the plans that must run, by name in Flink; none before the first choice.
        tolerated: the names of jobs that may run without a plan; None until the first choice, for all.
        live_names: job → the name in Flink of the version that readers use.
        running: the names of this installation's jobs that have not ended; None before the first poll. The
            caller sets it after each poll.
    """

    def __init__(self, settings: Settings, client: "redis.Redis", flink: FlinkClient) -> None:
        self._settings = settings
        self._redis = client
        self._versions = JobVersions(settings, client)
        self._flink = flink
        self._fixed = {job: build(settings) for job, build in JOBS.items() if job not in VERSIONED_PLANS}
        self.plans: Mapping[str, JobPlan] = {}
        self.tolerated: Collection[str] | None = None
        self.live_names: Mapping[str, str] = {job: job for job in JOBS}
        self.running: Collection[str] | None = None
        self._defined = {job: defined_plan(job, settings) for job in VERSIONED_JOBS}
        self._code: dict[str, str] = {}
        self._progress: dict[str, _Progress] = {}
        self._ending: set[str] = set()
        self._has_proposed = False

    def choose(self) -> None:
        """Choose the plans that must run. The first time, propose the versions of this checkout.

        A version that is built gets a slot before the version before the live one, which is then dropped.
        While there is no slot, it waits, and its `problem` says so.

        Raises:
            PartUnavailable: Redis or Flink does not answer. The last choice stays.
        """
        self.plans = self.plans or self._fixed
        for job, state in self._states().items():
            if not self._has_proposed or (state.live is None and not state.next):
                self._propose(job)
        self._has_proposed = True
        states = self._states()
        allocation = allocate(states, self._slots() - len(JOBS))
        plans: dict[str, JobPlan] = dict(self._fixed)
        for job, state in states.items():
            if not self._must_end(versioned_name(job, state.live or "")):
                plans |= self._plan(job, state.live or "")
            if job in allocation.befores and (before := self._plan(job, state.before)):
                plans |= before
            elif state.before:
                log.warning("dropping the version before the live one", job=job, version=state.before)
                self._versions.change(job, without_before)
            if state.next:
                plans |= self._next(job, state, job in allocation.nexts)
        self.plans = plans
        self.tolerated = {job for job, state in states.items() if state.live is None}
        self.live_names = {
            job: versioned_name(job, states[job].live or "") if job in states else job for job in JOBS
        }

    def advance(self) -> None:
        """Measure the versions that are built, switch to complete ones, and delete the keys of dropped ones.

        Raises:
            PartUnavailable: Redis, Kafka or Flink does not answer.
        """
        now, running = time.time(), self.running or ()
        for job, state in self._states().items():
            if state.next and versioned_name(job, state.next) in running and not state.is_complete:
                state = self._measure(job, state.next)
            if state.next and state.is_complete and state.is_automatic:
                log.info("switching", job=job, live=state.live, next=state.next)
                state = self._versions.change(job, partial(switched, version=state.next))
            if state.before and now - state.switched_at > BEFORE_KEPT_S:
                state = self._versions.change(job, without_before)
            for version, dropped_at in state.dropped.items():
                name = versioned_name(job, "" if version == UNVERSIONED else version)
                if name not in running and now - dropped_at > DELETE_AFTER_S:
                    self._delete(job, version, name)

    def _states(self) -> dict[str, VersionState]:
        return {job: self._versions.state(job) for job in VERSIONED_JOBS}

    def _slots(self) -> int:
        """Return how many jobs fit into Flink; many while no TaskManager is registered."""
        total, _ = self._flink.slots()
        return total // self._settings.job_parallelism if total else 1_000

    def _propose(self, job: str) -> None:
        """Make this checkout's version live if the job has never run; else build it beside the live one."""
        plan = self._defined[job]
        store_plan(self._settings, plan)
        version = plan.name.rpartition("@")[2]
        with as_part_unavailable(self._settings):
            has_old_keys = has_keys(self._redis, JOBS[job](self._settings))
        if not has_old_keys and self._versions.state(job).live is None:
            # Redis is new. A job that runs, or a checkpoint, belongs to keys that were lost with another one.
            self._ending.add(plan.name)
            self._versions.change(job, partial(started, version=version))
        state = self._versions.change(job, partial(proposed, version=version, is_automatic=True))
        if state.next == version:
            log.info("building a version beside the live one", job=job, live=state.live, next=version)

    def _must_end(self, name: str) -> bool:
        """Return whether a job whose keys were lost still runs. After its end its checkpoints are deleted."""
        if name not in self._ending:
            return False
        if self.running is None or name in self.running:
            return True
        delete_checkpoints(self._settings, name)
        self._ending.discard(name)
        return False

    def _plan(self, job: str, version: str) -> dict[str, JobPlan]:
        """Return the plan of a version by name, if Flink can run it."""
        if not version:
            return {}
        name = versioned_name(job, version)
        plan = self._defined[job] if self._defined[job].name == name else stored_plan(self._settings, name)
        return {name: plan} if plan and self._has_code(plan) else {}

    def _has_code(self, plan: JobPlan) -> bool:
        """Return whether the plan's Java functions are those of this checkout, which Flink has loaded."""
        functions = " ".join(sorted(plan.functions.values()))
        if functions not in self._code:
            try:
                self._code[functions] = function_code(plan.functions, SOURCES)
            except FileNotFoundError:
                self._code[functions] = ""
        return plan.planner == PLANNER and plan.function_code == self._code[functions]

    def _next(self, job: str, state: VersionState, has_slot: bool) -> dict[str, JobPlan]:
        """Return the plan of the version that is built, or note why it does not run."""
        plan = self._plan(job, state.next)
        problem = ""
        if state.next in state.dropped:
            problem = DELETING
        elif not plan:
            problem = OTHER_CODE
        elif not has_slot:
            problem = NO_SLOT
        elif state.behind is None and not self._has_memory():
            problem = NO_MEMORY
        if problem != state.problem:
            log.warning("a version waits", job=job, version=state.next, problem=problem or "none any more")
            self._versions.change(job, partial(with_problem, version=state.next, problem=problem))
        return {} if problem else plan

    def _has_memory(self) -> bool:
        """Return whether Redis has room for another version; if not, drop the versions of `before`."""
        with as_part_unavailable(self._settings):
            has_room = has_room_for_a_copy(self._redis)
        if not has_room:
            for job in VERSIONED_JOBS:
                self._versions.change(job, without_before)
        return has_room

    def _measure(self, job: str, version: str) -> VersionState:
        """Measure how many messages a version has not read yet, and whether it is complete."""
        name, now = versioned_name(job, version), time.monotonic()
        kafka = self._settings.kafka
        progress = self._progress.setdefault(name, _Progress(end_offsets(kafka), now))
        behind = lag_of_readers(kafka, {name: TOPICS_BY_JOB[job]}, progress.ends)[name]
        # The committed offsets may be those of an earlier attempt.
        has_written = not behind and not jobs_without_checkpoint(self._settings, [name])
        is_complete = has_written and now - progress.read_at <= COMPLETE_WITHIN_S
        if is_complete:
            del self._progress[name]
        elif has_written:
            self._progress[name] = progress = _Progress(end_offsets(kafka), now)
        if not is_complete and now - progress.triggered_at >= COMMIT_EVERY_S:
            trigger_checkpoints(self._settings, [name])
            progress.triggered_at = now
        return self._versions.change(
            job, partial(measured, version=version, behind=behind, is_complete=is_complete)
        )

    def _delete(self, job: str, version: str, name: str) -> None:
        """Delete the keys, checkpoints, plan and consumer group of a version that does not run any more."""
        unversioned = list(output_keys(JOBS[job](self._settings)))
        patterns = unversioned if version == UNVERSIONED else [f"{key_prefix(version)}*"]
        with as_part_unavailable(self._settings):
            count = delete_keys(self._redis, patterns)
        delete_checkpoints(self._settings, name)
        delete_group(self._settings.kafka, name)
        delete_plan(self._settings, name)
        self._versions.change(job, partial(deleted, version=version))
        log.info("deleted a version", job=job, version=version, keys=count)
