"""The versions of the jobs that write to Redis: which one readers use, and which ones run beside it.

The digest of a job's plan is its version; comments and server addresses do not change it. A version runs as
a Flink job of its own, with its own keys in Redis, consumer group and checkpoints. Redis has the state of a
job's versions, and the state directory has the plan of each version (`flink/plans/<job>@<version>.json`), so
that a version whose SQL is no longer in this checkout can be submitted again.

The functions that take and return a `VersionState` are its transitions.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import redis
from pydantic import TypeAdapter, ValidationError

from common.errors import UserError
from common.job_versions import LIVE_FIELD, state_key, versioned_name
from common.settings import Settings
from jobs.plan import JobPlan
from jobs.registry import JOBS, TOPICS_BY_JOB, VERSIONED_PLANS
from jobs.version_keys import as_part_unavailable, redis_client

UNVERSIONED = "unversioned"
"""Stands in `VersionState.dropped` for the keys without a prefix."""

_VERSION_DIGITS = 8
_STATE_FIELD = "state"
_PLAN = TypeAdapter(JobPlan)


@dataclass(frozen=True)
class VersionState:
    """The versions of a job; an empty text stands for none.

    `live` is None while readers use keys without a prefix. `next` is built beside it. If `is_automatic`, it
    is switched to when it is complete. `behind` is the number of messages that it has not read yet; None
    until it runs. `problem` says why it does not run. `before` was live before, and is still fed. `left` are
    versions from which somebody went back. `dropped` maps versions whose keys are not deleted yet to the
    Unix time when they were dropped.
    """

    live: str | None = None
    next: str = ""
    is_automatic: bool = False
    is_complete: bool = False
    behind: int | None = None
    problem: str = ""
    before: str = ""
    switched_at: float = 0.0
    left: tuple[str, ...] = ()
    dropped: Mapping[str, float] = field(default_factory=dict)

    def running(self) -> tuple[str, ...]:
        """Return the versions that run or must run: the live one first, then the next one, then `before`."""
        return tuple(version for version in (self.live, self.next, self.before) if version)


_STATE = TypeAdapter(VersionState)


def started(state: VersionState, version: str) -> VersionState:
    """Make a version live in a platform in which the job has never run."""
    return state if state.live is not None else replace(state, live=version)


def proposed(state: VersionState, version: str, *, is_automatic: bool) -> VersionState:
    """Build a version beside the live one, instead of any other next version.

    A version that is live or still fed needs no build. `./souk up` proposes automatically, and does not
    propose a version from which somebody went back. A version in `dropped` runs after its keys are deleted.
    """
    if version in (state.live, state.before) or (is_automatic and version in state.left):
        return state
    if version == state.next:
        return replace(state, is_automatic=state.is_automatic and is_automatic)
    return replace(
        _dropped(state, state.next),
        next=version,
        is_automatic=is_automatic,
        is_complete=False,
        behind=None,
        problem="",
    )


def with_problem(state: VersionState, version: str, problem: str) -> VersionState:
    """Note why the next version does not run; empty if it runs."""
    return replace(state, problem=problem) if version == state.next else state


def measured(state: VersionState, version: str, behind: int, *, is_complete: bool) -> VersionState:
    """Note how many messages the next version has still to read, and whether it is complete."""
    return replace(state, behind=behind, is_complete=is_complete) if version == state.next else state


def switched(state: VersionState, version: str) -> VersionState:
    """Make a version live; the live one becomes `before`, and the one before it is dropped.

    Raises:
        UserError: the version does not exist or is not complete.
    """
    if version == state.live:
        return state
    if version not in (state.next, state.before):
        raise UserError(f"there is no version {version}: build it with `./souk metrics rebuild`")
    if version == state.next and not state.is_complete:
        raise UserError(f"version {version} is not complete: `./souk metrics list` shows its progress")
    if version == state.next:
        state = replace(_dropped(state, state.before), next="", is_complete=False, behind=None, problem="")
    before = state.live or ""
    state = replace(
        state,
        live=version,
        before=before,
        switched_at=time.time(),
        left=tuple(each for each in state.left if each != version),
    )
    return state if before else _dropped(state, UNVERSIONED)


def went_back(state: VersionState) -> VersionState:
    """Make the version before live again. `./souk up` does not switch to the version that was left.

    Raises:
        UserError: there is no version before.
    """
    if not state.before:
        raise UserError("there is no version before the live one")
    left = state.live or ""
    state = switched(state, state.before)
    return replace(state, left=(*state.left, left))


def without_before(state: VersionState) -> VersionState:
    """Drop the version before the live one."""
    return replace(_dropped(state, state.before), before="")


def deleted(state: VersionState, version: str) -> VersionState:
    """Note that the keys of a dropped version are deleted."""
    rest = {each: at for each, at in state.dropped.items() if each != version}
    return replace(state, dropped=rest, left=tuple(each for each in state.left if each != version))


def _dropped(state: VersionState, version: str) -> VersionState:
    return replace(state, dropped={**state.dropped, version: time.time()}) if version else state


class JobVersions:
    """Stores the state of the versions of each job in Redis.

    Every method raises PartUnavailable if Redis does not answer.
    """

    def __init__(self, settings: Settings, client: "redis.Redis") -> None:
        self._settings = settings
        self._redis = client

    def state(self, job: str) -> VersionState:
        """Return the state of a job's versions."""
        with as_part_unavailable(self._settings):
            return _read(self._redis, job)

    def change(self, job: str, change: Callable[[VersionState], VersionState]) -> VersionState:
        """Apply a transition to the state of a job's versions, in one step; return the new state."""
        key = state_key(job)
        states: list[VersionState] = []  # one for each attempt

        def write(pipe: "redis.client.Pipeline") -> None:
            before = _read(pipe, job)
            after = change(before)
            pipe.multi()
            if after != before:
                pipe.hset(key, _STATE_FIELD, _STATE.dump_json(replace(after, live=None)).decode())
                if after.live is not None:
                    pipe.hset(key, LIVE_FIELD, after.live)
            states.append(after)

        with as_part_unavailable(self._settings):
            self._redis.transaction(write, key)
        return states[-1]


def store_plan(settings: Settings, plan: JobPlan) -> None:
    """Store the plan of a version; only this user can read it, because it may contain passwords."""
    path = _plan_path(settings, plan.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_bytes(_PLAN.dump_json(plan))
    partial.replace(path)


def stored_plan(settings: Settings, name: str) -> JobPlan | None:
    """Return the stored plan of a version (`rankings@1a2b3c4d`); None if none of this format is stored."""
    try:
        return _PLAN.validate_json(_plan_path(settings, name).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def delete_plan(settings: Settings, name: str) -> None:
    """Delete the stored plan of a version."""
    _plan_path(settings, name).unlink(missing_ok=True)


def _plan_path(settings: Settings, name: str) -> Path:
    return settings.home / "flink" / "plans" / f"{name}.json"


def _read(client: Any, job: str) -> VersionState:
    live, text = client.hmget(state_key(job), [LIVE_FIELD, _STATE_FIELD])
    state = _STATE.validate_json(text) if text else VersionState()
    return replace(state, live=live)


_NEUTRAL = {
    "kafka_bootstrap": "kafka:9092",
    "registry_url": "http://registry",
    "redis_url": "redis://redis",
    "clickhouse_url": "http://clickhouse",
}
"""Addresses with which versions are computed."""


def defined_version(job: str, settings: Settings) -> str:
    """Return the version that this checkout defines for a job."""
    neutral = settings.model_copy(update=_NEUTRAL)
    return JOBS[job](neutral).fingerprint()[:_VERSION_DIGITS]


def defined_plan(job: str, settings: Settings) -> JobPlan:
    """Return the plan of the version that this checkout defines for a job."""
    return VERSIONED_PLANS[job](settings, defined_version(job, settings))


def live_names(settings: Settings) -> dict[str, str]:
    """Return job → the name in Flink of the version that readers use; for `facts`, which has none, `facts`.

    Raises:
        PartUnavailable: Redis does not answer.
    """
    with redis_client(settings) as client:
        versions = JobVersions(settings, client)
        lives = {job: versions.state(job).live or "" for job in VERSIONED_PLANS}
    return {job: versioned_name(job, lives.get(job, "")) for job in JOBS}


def topics_of_live_jobs(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return consumer group → topics, for the version of each job that readers use.

    Raises:
        PartUnavailable: Redis does not answer.
    """
    return {name: TOPICS_BY_JOB[job] for job, name in live_names(settings).items()}
