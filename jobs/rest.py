"""Flink's REST API, as far as keeping jobs running needs it."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from common.errors import PartUnavailable

ENDED = frozenset({"FAILED", "CANCELED", "FINISHED", "SUSPENDED"})
"""States from which a job does not come back by itself."""


FINGERPRINT = "souk.fingerprint"
"""Name of the global job parameter that says which plan a job runs."""


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


class Flink:
    """A client of one JobManager.

    Every method raises PartUnavailable when it does not answer, or answers with an error.
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
        jobs = [
            Job(job["jid"], job["name"], job["state"], job["start-time"])
            for job in self._get("/jobs/overview")["jobs"]
        ]
        return sorted(jobs, key=lambda job: job.started_ms)

    def slots(self) -> tuple[int, int]:
        """How many slots the TaskManagers have, and how many of them are free."""
        overview = self._get("/overview")
        return overview["slots-total"], overview["slots-available"]

    def fingerprint(self, job_id: str) -> str:
        """The fingerprint of the plan that a job was submitted with; empty if it is not one of ours."""
        config = self._get(f"/jobs/{job_id}/config").get("execution-config", {})
        return str(config.get("user-config", {}).get(FINGERPRINT, ""))

    def failure(self, job_id: str) -> str:
        """Stack trace of a job's last failure; empty if it never failed."""
        entries = self._get(f"/jobs/{job_id}/exceptions?maxExceptions=1")["exceptionHistory"]["entries"]
        return str(entries[0]["stacktrace"]) if entries else ""

    def has_run(self, job_id: str) -> bool:
        """Whether all tasks of a job run now, or it ever completed a checkpoint."""
        vertices = self._get(f"/jobs/{job_id}")["vertices"]
        if vertices and all(vertex["status"] == "RUNNING" for vertex in vertices):
            return True
        return bool(self._get(f"/jobs/{job_id}/checkpoints").get("counts", {}).get("completed"))

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop; its checkpoints stay."""
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def _get(self, path: str) -> Any:
        return self._call("GET", path).json()

    def _call(self, method: str, path: str) -> httpx.Response:
        try:
            return self._http.request(method, path).raise_for_status()
        except (httpx.HTTPError, ValueError) as error:
            raise PartUnavailable(f"Flink at {self._url} does not answer {path}: {error}") from error


def causes(stacktrace: str) -> list[str]:
    """The messages of a Java stack trace, outermost first, without its frames."""
    lines = [line.strip().removeprefix("Caused by: ") for line in stacktrace.splitlines()]
    return [line for line in lines if line and not line.startswith(("at ", "... "))]
