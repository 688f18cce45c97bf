"""The versions of the jobs that write to Redis: which one readers use, and which ones run beside it.

The digest of a job's plan is its version; comments and server addresses do not change it. A version runs as
a Flink job of its own, with its own keys in Redis, consumer group and checkpoints. Redis has the state of a
job's versions (`JobVersions`). The state directory has their plans (`store_plan`), so that each version can
be submitted again: its SQL may not be in this checkout any more. A stored plan has placeholders instead of
the addresses and passwords of the servers, which are filled in when it is read. Redis does not have the
plans, because a plan names Java classes: a program that can write to Redis must not be able to run code in
Flink.

The functions that take and return a `VersionState` are its transitions.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import redis
from pydantic import TypeAdapter, ValidationError

from common.errors import UserError
from common.file_replacement import replace_file
from common.job_versions import LIVE_FIELD, state_key, versioned_name
from common.redis_client import as_part_unavailable, redis_client
from common.settings import Settings
from jobs.plan import JobPlan
from jobs.registry import JOBS, TOPICS_BY_JOB, VERSIONED_PLANS

_VERSION_DIGITS = 8
_PLAN = TypeAdapter(JobPlan)

_PLACEHOLDERS = {
    "kafka_bootstrap": "kafka.placeholder:1",
    "registry_url": "http://schemas.placeholder",
    "redis_url": "redis://redis.placeholder",
    "clickhouse_url": "http://clickhouse.placeholder",
}
"""Setting → the address in stored plans, and in the plans from which versions are computed."""


def defined_version(job: str, settings: Settings) -> str:
    """Return the version that this checkout defines for a job."""
    return JOBS[job](_without_addresses(settings)).fingerprint()[:_VERSION_DIGITS]


def store_defined_plan(job: str, settings: Settings) -> str:
    """Store the plan of the version that this checkout defines for a job, and return the version."""
    version = defined_version(job, settings)
    store_plan(settings, VERSIONED_PLANS[job](_without_addresses(settings), version))
    return version


def store_plan(settings: Settings, plan: JobPlan) -> None:
    """Store a plan with placeholders instead of addresses."""
    replace_file(_path(settings, plan.name), _PLAN.dump_json(plan))


def stored_plan(settings: Settings, name: str) -> JobPlan | None:
    """Return a stored plan with the present addresses, such as that of `rankings@1a2b3c4d`.

    Returns:
        None if no plan of this format is stored under this name.
    """
    addresses = (settings.kafka, settings.registry, settings.redis, settings.clickhouse)
    try:
        text = _path(settings, name).read_text(encoding="utf-8")
        for placeholder, address in zip(_PLACEHOLDERS.values(), addresses, strict=True):
            text = text.replace(placeholder, orjson.dumps(address).decode()[1:-1])
        plan = _PLAN.validate_json(text)
    except (FileNotFoundError, ValidationError):
        return None
    return replace(plan, config={**plan.config, "parallelism.default": str(settings.job_parallelism)})


def stored_versions(settings: Settings, job: str) -> set[str]:
    """Return the versions of a job of which a plan is stored."""
    names = (path.stem for path in _path(settings, "").parent.glob("*.json"))
    return {version for name in names for of, _, version in [name.partition("@")] if of == job}


def delete_plan(settings: Settings, job: str, version: str) -> None:
    """Delete the stored plan of a version."""
    _path(settings, versioned_name(job, version)).unlink(missing_ok=True)


def _without_addresses(settings: Settings) -> Settings:
    return settings.model_copy(update=_PLACEHOLDERS)


def _path(settings: Settings, name: str) -> Path:
    return settings.home / "flink" / "plans" / f"{name}.json"


UNVERSIONED = "unversioned"
"""The name in `VersionState.dropped` of the keys without a prefix."""

_MAX_ABANDONED = 20
_STATE_FIELD = "state"


@dataclass(frozen=True)
class VersionState:
    """The versions of a job. An empty text means that there is no such version.

    `live` is the version that readers use; while it is empty, they use keys without a prefix. `next` is the
    version that is built. `before` was live before and is still fed.

    `is_automatic` says whether readers are switched to `next` as soon as it is complete. `behind` is the
    number of messages that it has not read yet; None until it runs. `problem` says why it does not run.
    `abandoned` are versions from which somebody went back. `dropped` maps the versions whose keys must be
    deleted to the Unix time at which they were dropped.
    """

    live: str = ""
    next: str = ""
    is_automatic: bool = False
    is_complete: bool = False
    behind: int | None = None
    problem: str = ""
    before: str = ""
    switched_at: float = 0.0
    abandoned: tuple[str, ...] = ()
    dropped: Mapping[str, float] = field(default_factory=dict)


_STATE = TypeAdapter(VersionState)


def started(state: VersionState, version: str) -> VersionState:
    """Make a version live, unless another one is."""
    return state if state.live else replace(state, live=version)


def proposed(state: VersionState, version: str) -> VersionState:
    """Build a version beside the live one, instead of any other next version, at a user's request.

    A version that is live or still fed needs no build.
    """
    if version in (state.live, state.before):
        return state
    if version == state.next:
        return replace(state, is_automatic=False)
    return _build(state, version, is_automatic=False)


def proposed_by_checkout(state: VersionState, version: str) -> VersionState:
    """Make the version of the started checkout live, now or when it is built.

    A version from which somebody went back is not proposed.
    """
    if version in state.abandoned:
        return state
    if version == state.live:
        return discarded(state) if state.is_automatic else state
    if version == state.before:
        return switched(discarded(state) if state.is_automatic else state, version)
    if version == state.next:
        return replace(state, is_automatic=True)
    return _build(state, version, is_automatic=True)


def _build(state: VersionState, version: str, *, is_automatic: bool) -> VersionState:
    return replace(discarded(state), next=version, is_automatic=is_automatic)


def discarded(state: VersionState) -> VersionState:
    """Drop the next version."""
    return replace(
        _dropped(state, state.next), next="", is_automatic=False, is_complete=False, behind=None, problem=""
    )


def with_problem(state: VersionState, version: str, problem: str) -> VersionState:
    """Note why the next version does not run; empty if it runs."""
    return replace(state, problem=problem) if version == state.next else state


def measured(state: VersionState, version: str, behind: int | None, *, is_complete: bool) -> VersionState:
    """Note how many messages the next version has still to read, and whether it is complete."""
    return replace(state, behind=behind, is_complete=is_complete) if version == state.next else state


def restarted(state: VersionState, version: str) -> VersionState:
    """Build the next version again from nothing: its keys are deleted first."""
    if version != state.next:
        return state
    return replace(_dropped(state, version), behind=None, is_complete=False)


def switched(state: VersionState, version: str) -> VersionState:
    """Make a version live; the live one becomes `before`, and the one before it is dropped.

    Raises:
        UserError: the version does not exist, or it is not complete.
    """
    if version == state.live:
        return state
    if version not in (state.next, state.before):
        raise UserError(f"there is no version {version}: build it with `./souk metrics rebuild`")
    if version == state.next and (state.problem or not state.is_complete):
        raise UserError(f"version {version} is not complete: `./souk metrics list` shows its progress")
    abandoned = [each for each in state.abandoned if each != version]
    if version == state.before:
        abandoned.append(state.live)
    else:
        state = discarded(replace(_dropped(state, state.before), next=""))
    return replace(
        state if state.live else _dropped(state, UNVERSIONED),
        live=version,
        before=state.live,
        switched_at=time.time(),
        abandoned=tuple(abandoned[-_MAX_ABANDONED:]),
    )


def switched_if_due(state: VersionState) -> VersionState:
    """Make the next version live if it is complete, and if nobody wants to do it by hand."""
    is_due = state.next and state.is_automatic and state.is_complete and not state.problem
    return switched(state, state.next) if is_due else state


def went_back(state: VersionState) -> VersionState:
    """Make the version before live again. `./souk up` does not switch to the abandoned version.

    Raises:
        UserError: there is no version before.
    """
    if not state.before:
        raise UserError("there is no version before the live one")
    return switched(state, state.before)


def without_before(state: VersionState, version: str) -> VersionState:
    """Drop the version before the live one, if it is still this one."""
    return replace(_dropped(state, version), before="") if version and version == state.before else state


def dropped_orphans(state: VersionState, versions: set[str]) -> VersionState:
    """Drop those of the given versions that the state does not know."""
    for version in versions - {state.live, state.next, state.before, *state.dropped}:
        state = _dropped(state, version)
    return state


def deleted(state: VersionState, version: str) -> VersionState:
    """Note that the keys of a dropped version are deleted."""
    return replace(state, dropped={each: at for each, at in state.dropped.items() if each != version})


def _dropped(state: VersionState, version: str) -> VersionState:
    return replace(state, dropped={**state.dropped, version: time.time()}) if version else state


@dataclass(frozen=True)
class JobVersions:
    """Stores the state of the versions of each job in Redis.

    Every method raises PartUnavailable if Redis does not answer.
    """

    _settings: Settings
    _redis: "redis.Redis"

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
                pipe.hset(key, _STATE_FIELD, _STATE.dump_json(replace(after, live="")).decode())
            if after.live != before.live:
                pipe.hset(key, LIVE_FIELD, after.live)
            states.append(after)

        with as_part_unavailable(self._settings):
            self._redis.transaction(write, key)
        return states[-1]


def _read(client: Any, job: str) -> VersionState:
    live, text = client.hmget(state_key(job), [LIVE_FIELD, _STATE_FIELD])
    return replace(_STATE.validate_json(text) if text else VersionState(), live=live or "")


def live_names(settings: Settings) -> dict[str, str]:
    """Return job → the name in Flink of the version that readers use; for `facts`, which has none, `facts`.

    Raises:
        PartUnavailable: Redis does not answer.
    """
    with redis_client(settings) as client:
        versions = JobVersions(settings, client)
        return names_of({job: versions.state(job).live for job in VERSIONED_PLANS})


def names_of(lives: Mapping[str, str]) -> dict[str, str]:
    """Return job → its name in Flink, from job → live version; a job without a version has its own name."""
    return {job: versioned_name(job, lives.get(job, "")) for job in JOBS}


def name_of_dropped(job: str, version: str) -> str:
    """Return the name in Flink of a version in `VersionState.dropped`."""
    return versioned_name(job, "" if version == UNVERSIONED else version)


def topics_of_live_jobs(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return consumer group → topics, for the version of each job that readers use.

    Raises:
        PartUnavailable: Redis does not answer.
    """
    return topics_by_group(settings, live_names(settings))


def topics_by_group(settings: Settings, names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return consumer group → topics; `names` is job → the name of a version in Flink, which is its group."""
    found = {}
    for job, name in names.items():
        plan = None if name == job else stored_plan(settings, name)
        found[name] = plan.topics if plan else TOPICS_BY_JOB[job]
    return found
