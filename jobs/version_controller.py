"""Decides which versions of the jobs run, switches readers to a complete one, and deletes dropped ones.

The reconciler (`jobs/reconciler.py`) asks for the plans to run whenever it polls Flink.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

import redis
import structlog

from common.consumer_lag import Offsets, delete_group, end_offsets, lag_of_readers
from common.errors import PartUnavailable
from common.job_versions import VERSIONED_JOBS, key_prefix, versioned_name
from common.redis_client import as_part_unavailable
from common.settings import Settings
from jobs.checkpoints import delete_checkpoints, newest_checkpoint, plan_checkpoints
from jobs.connectors.build import SOURCES
from jobs.fingerprint import function_code
from jobs.flink_client import FlinkClient, jobs_without_checkpoint, trigger_checkpoints
from jobs.plan import PLANNER, JobPlan
from jobs.registry import JOBS, VERSIONED_PLANS
from jobs.version_keys import delete_keys, has_keys, output_keys, used_share_of_memory
from jobs.versions import (
    UNVERSIONED,
    JobVersions,
    VersionState,
    delete_plan,
    deleted,
    dropped_orphans,
    measured,
    name_of_dropped,
    names_of,
    proposed_by_checkout,
    restarted,
    started,
    store_defined_plan,
    stored_plan,
    stored_versions,
    switched_if_due,
    with_problem,
    without_before,
)

log = structlog.get_logger()

COMPLETE_WITHIN_S = 30.0
"""A version is complete when it has written all that was in Kafka at a moment at most this long ago."""

COMMIT_EVERY_S = 5.0
"""How often a checkpoint of a version that is not complete is triggered; a checkpoint commits its offsets."""

BEFORE_KEPT_S = 24 * 3_600.0
"""How long the version before the live one is fed, so that readers can go back to it."""

DELETE_AFTER_S = 60.0
"""How long the keys of a dropped version stay. A request that began before a switch may still read them."""

MAX_MEMORY_AT_START, MAX_MEMORY = 0.45, 0.85
"""The shares of Redis' memory limit above which no build starts, and above which a build is given up."""

DELETING = "its old keys are deleted first"
NO_SLOT = "no slot of Flink is free for it: wait for the other build, or give Flink one slot more"
NO_PLAN = "its plan is not stored, or it is for another version of Souk"
OTHER_CODE = "Flink has loaded other Java functions: run `./souk up` in the checkout that defines it"
NOT_ACCEPTED = "Flink does not accept it: see ./souk logs jobs"
NO_MEMORY = "Redis has no room for a second copy of the keys: raise SOUK_REDIS_MAX_MEMORY_MB"


@dataclass(frozen=True)
class Allocation:
    """The jobs whose next version gets a slot, and those whose version before the live one gets one."""

    building: tuple[str, ...]
    fed: tuple[str, ...]


def allocate(states: Mapping[str, VersionState], free: int) -> Allocation:
    """Divide the slots that live versions leave: first to versions that are built, then to those before."""
    building = [job for job, state in states.items() if state.next][: max(0, free)]
    fed = sorted(
        (job for job, state in states.items() if state.before), key=lambda job: -states[job].switched_at
    )
    return Allocation(tuple(building), tuple(fed[: max(0, free - len(building))]))


@dataclass
class FlinkView:
    """What the last poll of Flink has found. The caller of `VersionController` updates it.

    Attributes:
        running: the names of this installation's jobs that have not ended; None before the first poll.
        other_slots: the number of slots that jobs of other installations use.
        failures: name of a job → how often in a row Flink did not accept it.
    """

    running: Collection[str] | None = None
    other_slots: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)


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
        unfinished: the consumer groups of versions that readers do not use.
    """

    def __init__(
        self, settings: Settings, client: "redis.Redis", flink: FlinkClient, *, trusts_checkout: bool = True
    ) -> None:
        """Without `trusts_checkout`, only stored plans run, because the checkout has changed since `up`."""
        self._settings = settings
        self._redis = client
        self._versions = JobVersions(settings, client)
        self._flink = flink
        self._trusts_checkout = trusts_checkout
        self._fixed = {job: build(settings) for job, build in JOBS.items() if job not in VERSIONED_PLANS}
        self._code: dict[str, str] = {}
        self._progress: dict[str, _Progress] = {}
        self._given_up: set[str] = set()  # versions that did not fit into Redis
        self._proposed: set[str] = set()
        self.view = FlinkView()
        self.plans: Mapping[str, JobPlan] = {}
        self.tolerated: Collection[str] | None = None
        self.live_names: Mapping[str, str] = {job: job for job in JOBS}
        self.unfinished: Collection[str] = ()

    def choose(self) -> None:
        """Choose the plans that must run. The first time, propose the versions of this checkout.

        A version that is built gets a slot before the version before the live one, which is then dropped.
        While there is no slot, it waits, and its `problem` says so.

        Raises:
            PartUnavailable: Redis or Flink does not answer. The last choice stays.
        """
        self.plans = self.plans or self._fixed
        for job in VERSIONED_JOBS:
            self._propose(job)
        states = {job: self._versions.state(job) for job in VERSIONED_JOBS}
        plans = dict(self._fixed)
        for job, state in states.items():
            plans |= self._plan(job, state.live)
        tolerated = {job for job, state in states.items() if not state.live}
        used = len(plans) + len(tolerated & set(self.view.running or ()))
        allocation = allocate(states, self._slots() - used)
        for job, state in states.items():
            if state.next:
                plans |= self._next(job, state, has_slot=job in allocation.building)
            if not state.before:
                continue
            before = self._plan(job, state.before)
            if before and job in allocation.fed:
                plans |= before
            elif not before or allocation.building:
                log.warning("dropping the version before the live one", job=job, version=state.before)
                self._versions.change(job, partial(without_before, version=state.before))
        self.plans, self.tolerated = plans, tolerated
        self.live_names = names_of({job: state.live for job, state in states.items()})
        self.unfinished = {
            name_of_dropped(job, version)
            for job, state in states.items()
            for version in (state.next, *state.dropped)
            if version
        }

    def advance(self) -> None:
        """Measure the versions that are built, and switch to complete ones.

        Raises:
            PartUnavailable: Redis, Kafka or Flink does not answer.
        """
        for job in VERSIONED_JOBS:
            state = self._versions.state(job)
            name = versioned_name(job, state.next)
            if state.next and not state.is_complete and name in (self.view.running or ()):
                self._measure(job, state.next, name)
            after = self._versions.change(job, switched_if_due)
            if after.live != state.live:
                log.info("switched", job=job, before=state.live, live=after.live)
            if after.before and time.time() - after.switched_at > BEFORE_KEPT_S:
                self._versions.change(job, partial(without_before, version=after.before))

    def delete_dropped(self) -> None:
        """Delete the keys of dropped versions whose jobs have ended.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        if self.view.running is None:
            return
        for job in VERSIONED_JOBS:
            for version, dropped_at in self._versions.state(job).dropped.items():
                name = name_of_dropped(job, version)
                if name not in self.view.running and time.time() - dropped_at > DELETE_AFTER_S:
                    self._delete(job, version, name)

    def _slots(self) -> int:
        """Return how many of our jobs fit into Flink; many while no TaskManager is registered."""
        total, _ = self._flink.slots()
        return (total - self.view.other_slots) // self._settings.job_parallelism if total else 1_000

    def _propose(self, job: str) -> None:
        """Make this checkout's version live if Redis is new; else build it beside the live one, once."""
        state = self._versions.state(job)
        is_new = not (state.live or state.next)
        if not is_new and (job in self._proposed or not self._trusts_checkout):
            return
        orphans = stored_versions(self._settings, job)
        version = store_defined_plan(job, self._settings)
        name = versioned_name(job, version)
        if is_new:
            with as_part_unavailable(self._settings):
                is_new = not has_keys(self._redis, JOBS[job](self._settings))
        if is_new:
            # A job that still runs, and checkpoints, belong to keys that were lost with another Redis.
            if self.view.running is None or name in self.view.running:
                return
            delete_checkpoints(self._settings, name)
            self._versions.change(job, partial(started, version=version))
        self._versions.change(job, partial(dropped_orphans, versions=orphans - {version}))
        state = self._versions.change(job, partial(proposed_by_checkout, version=version))
        self._proposed.add(job)
        if state.next == version:
            log.info("building a version beside the live one", job=job, live=state.live, next=version)

    def _plan(self, job: str, version: str) -> dict[str, JobPlan]:
        """Return the plan of a version by name, if Flink can run it."""
        name = versioned_name(job, version)
        plan = stored_plan(self._settings, name) if version else None
        return {name: plan} if plan and self._has_code(plan) else {}

    def _has_code(self, plan: JobPlan) -> bool:
        """Return whether the plan's Java functions are those of this checkout, which Flink has loaded."""
        functions = " ".join(sorted(plan.functions.values()))
        if functions not in self._code:
            try:
                self._code[functions] = function_code(plan.functions, SOURCES)
            except FileNotFoundError:
                self._code[functions] = ""
        is_loaded = plan.function_code == self._code[functions] or not self._trusts_checkout
        return plan.planner == PLANNER and is_loaded

    def _next(self, job: str, state: VersionState, *, has_slot: bool) -> dict[str, JobPlan]:
        """Return the plan of the version that is built, or note why it does not run."""
        version, name = state.next, versioned_name(job, state.next)
        plan = self._plan(job, version)
        if self.view.running is not None and name not in self.view.running and plan:
            self._prepare_start(job, state, plan[name])
        problem = ""
        if version in self._versions.state(job).dropped:
            problem = DELETING
        elif not plan:
            problem = OTHER_CODE if stored_plan(self._settings, name) else NO_PLAN
        elif not has_slot:
            problem = NO_SLOT
        elif not self._fits_into_memory(job, version, name):
            problem = NO_MEMORY
        must_run = not problem
        if must_run and self.view.failures.get(name, 0) > 1:
            problem = NOT_ACCEPTED
        if problem != state.problem:
            log.warning("state of a version", job=job, version=version, problem=problem or None)
            self._versions.change(job, partial(with_problem, version=version, problem=problem))
        return plan if must_run else {}

    def _prepare_start(self, job: str, state: VersionState, plan: JobPlan) -> None:
        """Before a version is submitted: without a checkpoint, delete what an earlier attempt has left."""
        if newest_checkpoint(plan_checkpoints(self._settings, plan)):
            self._versions.change(
                job, partial(measured, version=state.next, behind=state.behind, is_complete=False)
            )
        elif state.behind is not None and state.next not in state.dropped:
            self._versions.change(job, partial(restarted, version=state.next))

    def _fits_into_memory(self, job: str, version: str, name: str) -> bool:
        """Return whether Redis has room for this version; drop what is not live if it gets full."""
        with as_part_unavailable(self._settings):
            used = used_share_of_memory(self._redis)
        is_running = name in (self.view.running or ())
        if name in self._given_up or used > (MAX_MEMORY if is_running else MAX_MEMORY_AT_START):
            for each in VERSIONED_JOBS:
                before = self._versions.state(each).before
                self._versions.change(each, partial(without_before, version=before))
            if is_running:
                log.error("giving up a version: Redis is almost full", job=job, version=version)
                self._given_up.add(name)
                self._versions.change(job, partial(restarted, version=version))
            return False
        return True

    def _measure(self, job: str, version: str, name: str) -> None:
        """Measure how many messages a version has not read yet, and whether it is complete."""
        plan, now, kafka = self.plans.get(name), time.monotonic(), self._settings.kafka
        if plan is None:
            return
        if (progress := self._progress.get(name)) is None:
            progress = self._progress[name] = _Progress(end_offsets(kafka), now)
        behind = lag_of_readers(kafka, {name: plan.topics}, progress.ends)[name]
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
        self._versions.change(job, partial(measured, version=version, behind=behind, is_complete=is_complete))

    def _delete(self, job: str, version: str, name: str) -> None:
        """Delete the keys, checkpoints, plan and consumer group of a version that does not run any more."""
        delete_checkpoints(self._settings, name)
        is_unversioned = version == UNVERSIONED
        patterns = output_keys(JOBS[job](self._settings)) if is_unversioned else [f"{key_prefix(version)}*"]
        with as_part_unavailable(self._settings):
            count = delete_keys(self._redis, patterns)
        try:
            delete_group(self._settings.kafka, name)
        except PartUnavailable as error:
            log.warning("a consumer group is left", group=name, error=str(error))
        self._progress.pop(name, None)
        if self._versions.state(job).next != version:
            delete_plan(self._settings, job, version)
        self._versions.change(job, partial(deleted, version=version))
        log.info("deleted a version", job=job, version=version, keys=count)
