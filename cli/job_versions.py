"""What `./souk metrics` does for the Flink jobs that write to Redis: their versions run beside each other."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from common.errors import SoukError, UserError
from common.job_versions import versioned_name
from common.redis_client import redis_client
from common.settings import Settings
from jobs.version_keys import differences
from jobs.versions import (
    JobVersions,
    VersionState,
    defined_version,
    discarded,
    proposed,
    store_defined_plan,
    stored_plan,
    switched,
    went_back,
)

_POLL_S = 1.0
_STALLED_S = 300.0
"""How long the progress of a version may stand still."""


def as_plain(job: str, settings: Settings) -> dict[str, Any]:
    """Return the versions of a job for `./souk metrics list --json`."""
    with _versions(settings) as versions:
        state = versions.state(job)
    return {
        "live": state.live or None,
        "defined": defined_version(job, settings),
        "before": [state.before] if state.before else [],
        "never_live": [state.next] if state.next else [],
        "messages_behind": state.behind,
        "problem": state.problem,
    }


def rebuild(job: str, settings: Settings) -> bool:
    """Run this checkout's version of a job beside the live one until it has read all events; compare them.

    Returns:
        Whether the version can be switched to; False if it is the live one.

    Raises:
        UserError: another version was proposed meanwhile.
        SoukError: the version does not advance.
    """
    version = store_defined_plan(job, settings)
    with _versions(settings) as versions:
        state = versions.change(job, partial(proposed, version=version))
        if version not in (state.live, state.before):
            state = _wait_until_complete(versions, job, version)
        print(f"job {job}: version {version} is complete")
    if state.live and state.live != version:
        _print_differences(settings, versioned_name(job, state.live), versioned_name(job, version))
    return state.live != version


def switch(job: str, version: str, settings: Settings) -> str:
    """Show a version to readers; without a version, that of this checkout. Return it."""
    chosen = version or defined_version(job, settings)
    with _versions(settings) as versions:
        versions.change(job, partial(switched, version=chosen))
    return chosen


def back(job: str, settings: Settings) -> str:
    """Show readers the version that was live before, and return it."""
    with _versions(settings) as versions:
        return versions.change(job, went_back).live


def discard(job: str, settings: Settings) -> str:
    """Stop and delete the version of a job that is built, and return it; empty if there is none."""
    with _versions(settings) as versions:
        version = versions.state(job).next
        versions.change(job, discarded)
    return version


def _wait_until_complete(versions: JobVersions, job: str, version: str) -> VersionState:
    shown, changed_at = "", time.monotonic()
    while not (state := versions.state(job)).is_complete:
        if version == state.live:
            return state
        if state.next != version:
            raise UserError(f"another build or `discard` has replaced version {version} of job {job}")
        behind = "" if state.behind is None else f"{state.behind:,} messages to read"
        says = "; ".join(filter(None, (state.problem, behind))) or "waiting for Flink to start it"
        if says != shown:
            print(f"job {job}: version {version}: {says}", flush=True)
            shown, changed_at = says, time.monotonic()
        if time.monotonic() - changed_at > _STALLED_S:
            raise SoukError(
                f"version {version} of job {job} has not advanced for {_STALLED_S:.0f} s ({says}): "
                "see `./souk status` and `./souk logs jobs`"
            )
        time.sleep(_POLL_S)
    return state


def _print_differences(settings: Settings, live: str, other: str) -> None:
    plans = [stored_plan(settings, name) for name in (live, other)]
    if not all(plans):
        return
    with redis_client(settings) as client:
        for each in differences(client, *(plan for plan in plans if plan)):
            print(
                f"  {each.output}: {each.live:,} rows in the live version, {each.other:,} in the new one; "
                f"{each.different:,} differ"
            )


@contextmanager
def _versions(settings: Settings) -> Iterator[JobVersions]:
    with redis_client(settings) as client:
        yield JobVersions(settings, client)
