"""Flink's REST API, as far as keeping jobs running needs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from common.errors import PartUnavailable

T = TypeVar("T")

ENDED = frozenset({"FAILED", "CANCELED", "FINISHED", "SUSPENDED"})
"""States from which a job does not come back by itself."""

INITIALIZING = "INITIALIZING"
"""The state of a job that the JobManager has taken and not yet built: it does not tell its parameters."""

FINGERPRINT = "souk.fingerprint"
"""Name of the global job parameter that says which plan a job runs."""

COPY = "souk.copy"
"""Name of the global job parameter that says which copy of the platform a job belongs to."""


@dataclass(frozen=True)
class Job:
    """One job that the JobManager knows: `state` as Flink says it, `started_ms` in Unix milliseconds."""

    id: str
    name: str
    state: str
    started_ms: int

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state in ENDED


@dataclass(frozen=True)
class Checkpoints:
    """How many are under way and how many failed; of the newest complete one, when it was there (Unix ms) and
    how long it took."""

    under_way: int
    failed: int
    newest_ms: int | None
    took_ms: int | None


class Flink:
    """A client of one JobManager.

    Every method raises PartUnavailable when it does not answer, answers with an error or with nonsense.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def jobs(self) -> list[Job]:
        """Every job that the JobManager remembers, oldest first."""
        jobs = self._get("/jobs/overview", lambda answer: [_job(entry) for entry in answer["jobs"]])
        return sorted(jobs, key=lambda job: job.started_ms)

    def slots(self) -> tuple[int, int]:
        """How many slots the TaskManagers have, and how many of them are free."""
        return self._get("/overview", lambda answer: (answer["slots-total"], answer["slots-available"]))

    def parameters(self, job_id: str) -> Mapping[str, str]:
        """The global parameters that a job was submitted with."""
        return self._get(
            f"/jobs/{job_id}/config",
            lambda answer: dict(answer.get("execution-config", {}).get("user-config", {})),
        )

    def parallelism(self, job_id: str) -> int:
        """How many slots a job needs: the subtasks of its widest operator."""
        return self._get(
            f"/jobs/{job_id}",
            lambda answer: max((vertex["parallelism"] for vertex in answer["vertices"]), default=0),
        )

    def failure(self, job_id: str) -> str:
        """Stack trace of a job's last failure; empty if it never failed."""
        return self._get(
            f"/jobs/{job_id}/exceptions?maxExceptions=1",
            lambda answer: "".join(
                entry["stacktrace"] for entry in answer["exceptionHistory"]["entries"][:1]
            ),
        )

    def has_run(self, job_id: str) -> bool:
        """Whether all tasks of a job run now, or it ever completed a checkpoint."""
        states = self._get(
            f"/jobs/{job_id}", lambda answer: {vertex["status"] for vertex in answer["vertices"]}
        )
        return states == {"RUNNING"} or self._get(
            f"/jobs/{job_id}/checkpoints", lambda answer: bool(answer.get("counts", {}).get("completed"))
        )

    def checkpoints(self, job_id: str) -> Checkpoints:
        """What a job says about its checkpoints since it was submitted."""
        return self._get(f"/jobs/{job_id}/checkpoints", _checkpoints)

    def metric(self, path: str, name: str) -> float | None:
        """A figure of Flink's own at `path`, such as `/jobmanager`, summed over processes; None if none."""
        return self._get(
            f"{path}/metrics?get={name}",
            lambda answer: float(answer[0].get("value") or answer[0]["sum"]) if answer else None,
        )

    def start_checkpoint(self, job_id: str) -> None:
        """Ask for a checkpoint now; returns before it is complete."""
        self._call("POST", f"/jobs/{job_id}/checkpoints", {"checkpointType": "CONFIGURED"})

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop; its checkpoints stay."""
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def _get(self, path: str, read: Callable[[Any], T]) -> T:
        answer = self._call("GET", path)
        try:
            return read(answer.json())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise PartUnavailable(
                f"Flink at {self._url} gives no proper answer to {path}: {error!r}"
            ) from error

    def _call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body).raise_for_status()
        except httpx.HTTPError as error:
            raise PartUnavailable(f"Flink at {self._url} does not answer {path}: {error}") from error


def _job(entry: Mapping[str, Any]) -> Job:
    return Job(entry["jid"], entry["name"], entry["state"], entry["start-time"])


def _checkpoints(answer: Mapping[str, Any]) -> Checkpoints:
    newest = answer["latest"]["completed"] or {}
    counts = answer["counts"]
    return Checkpoints(
        counts["in_progress"],
        counts["failed"],
        newest.get("latest_ack_timestamp"),
        newest.get("end_to_end_duration"),
    )


def causes(stacktrace: str) -> list[str]:
    """The messages of a Java stack trace, outermost first, without its frames."""
    lines = [line.strip().removeprefix("Caused by: ") for line in stacktrace.splitlines()]
    return [line for line in lines if line and not line.startswith(("at ", "... ", "End of exception"))]
