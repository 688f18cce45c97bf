"""What `/ready` of every process means: it names what is missing for the process to do its work.

`/health` is 200 as long as the process answers. `/ready` is 200 if `missing` is empty, else 503. Both are the
same for all processes (`docs/health.md`).
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, wait
from threading import Lock

from typing_extensions import TypedDict

from common.background import in_background
from common.errors import SoukError
from common.stopping import Stopping

PARTS = frozenset({"kafka", "registry", "flink", "clickhouse", "redis", "postgres", "commerce"})
"""The servers that the processes share. `exclude=parts` leaves all of them out."""

JOB = "job:"
"""What the name of a missing Flink job begins with. `exclude=jobs` and `exclude=parts` leave all jobs out."""

STOPPING = "stopping"
MIGRATIONS = "migrations"

TIMEOUT_S = 2.5

RETRY_AFTER_S = 5

HEALTH_BODY = b'{"status":"ok"}'
"""The response of `/health`."""

Check = Callable[[], str | None]
"""Returns a note for an operator, such as that a database is newer than the code; raises if not ready."""


class NotReady(SoukError):
    """Something answers, but can't be used yet, or does not answer. The message says why."""


class ReadyBody(TypedDict):
    """The response of `/ready` of a process without an API."""

    ready: bool
    missing: dict[str, str]
    notes: dict[str, str]


def ready_body(missing: Mapping[str, str], notes: Mapping[str, str]) -> ReadyBody:
    """Return the response. `missing` and `notes` have a reason by the name of what was checked."""
    return {"ready": not missing, "missing": dict(missing), "notes": dict(notes)}


def excludes(excluded: Collection[str], name: str) -> bool:
    """Return whether the values of the parameter `exclude` leave out a name.

    `jobs` stands for all Flink jobs, `parts` for all parts and all jobs.
    """
    is_job = name.startswith(JOB)
    groups = {"parts"} if name in PARTS else {"parts", "jobs"} if is_job else frozenset[str]()
    return name in excluded or not groups.isdisjoint(excluded)


class ProcessReadiness:
    """The readiness of a process that works in a loop: its checks, and whether it is stopping."""

    def __init__(self, checks: Mapping[str, Check], stopping: Stopping) -> None:
        self._checks = checks
        self._stopping = stopping
        self._running: dict[str, Future[str | None]] = {}
        self._lock = Lock()

    def body(self, excluded: Collection[str] = ()) -> ReadyBody:
        """Run the checks at the same time, except excluded ones, and return the response of `/ready`.

        A process that stops runs none. A check that takes longer than `TIMEOUT_S` has failed; it goes on, and
        a call meanwhile waits for the same run, so that checks of a slow server do not pile up.
        """
        if self._stopping.has_begun:
            return ready_body({STOPPING: self._stopping.reason}, {})
        running = {name: self._run(name) for name in self._checks if not excludes(excluded, name)}
        wait(running.values(), TIMEOUT_S)
        missing, notes = {}, {}
        for name, check in running.items():
            if not check.done():
                missing[name] = f"it does not answer within {TIMEOUT_S:g} s"
            # Any failure of a check means that its subject is not ready, and must not fail the others.
            elif (error := check.exception()) is not None:
                missing[name] = described(error)
            elif note := check.result():
                notes[name] = note
        return ready_body(missing, notes)

    def _run(self, name: str) -> "Future[str | None]":
        with self._lock:
            if name not in self._running or self._running[name].done():
                self._running[name] = in_background(self._checks[name])
            return self._running[name]


def described(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
