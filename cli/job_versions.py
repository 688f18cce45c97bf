"""What `./souk metrics` does for the Flink jobs that write to Redis: their versions run beside each other."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from common.errors import SoukError, UserError
from common.job_versions import versioned_name
from common.settings import Settings
from jobs.version_keys import differences, redis_client
from jobs.versions import (
    JobVersions,
    VersionState,
    defined_plan,
    defined_version,
    proposed,
    store_plan,
    stored_plan,
    switched,
    went_back,
)

_POLL_S = 1.0
_START_TIMEOUT_S = 180.0
"""How long the reconciler may take to submit a version: Flink's client needs 10 to 60 s on a busy machine."""


def as_plain(job: str, settings: Settings) -> dict[str, Any]:
    """Return the versions of a job for `./souk metrics list --json`."""
    with _versions(settings) as versions:
        state = versions.state(job)
    return {
        "live": state.live,
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
        SoukError: the reconciler does not run the version.
    """
    plan = defined_plan(job, settings)
    version = defined_version(job, settings)
    store_plan(settings, plan)
    with _versions(settings) as versions:
        state = versions.change(job, partial(proposed, version=version, is_automatic=False))
        if version not in (state.live, state.before):
            state = _wait_until_complete(versions, job, version)
        print(f"job {job}: version {version} is complete")
    if state.live and state.live != version:
        _print_differences(settings, versioned_name(job, state.live), plan.name)
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
        return versions.change(job, went_back).live or ""


def _wait_until_complete(versions: JobVersions, job: str, version: str) -> VersionState:
    started_at, shown = time.monotonic(), ""
    while not (state := versions.state(job)).is_complete:
        if state.next != version:
            raise UserError(f"version {state.next or state.live} of job {job} was started meanwhile")
        says = state.problem or (
            "it is being submitted to Flink" if state.behind is None else f"{state.behind:,} messages to read"
        )
        if says != shown:
            print(f"job {job}: version {version}: {says}", flush=True)
            shown = says
        if state.behind is None and time.monotonic() - started_at > _START_TIMEOUT_S:
            raise SoukError(
                f"version {version} of job {job} does not run ({says}): see ./souk status, ./souk logs jobs"
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
