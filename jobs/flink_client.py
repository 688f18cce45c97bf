"""A client for the parts of Flink's REST API that the platform uses."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from math import isnan
from types import TracebackType
from typing import Any, TypeVar

import httpx

from common.errors import PartUnavailable
from common.settings import Settings

T = TypeVar("T")

ENDED_STATES = frozenset({"FAILED", "CANCELED", "FINISHED", "SUSPENDED"})
"""The states of a job that has stopped for good."""

INITIALIZING = "INITIALIZING"
"""The state of a job that the JobManager has accepted but not yet built; its parameters are not available."""

FINGERPRINT = "souk.fingerprint"
"""The global job parameter with the fingerprint of the plan that a job runs."""

INSTALLATION = "souk.copy"
"""The global job parameter with the id of the installation that a job belongs to."""


def installation_id(settings: Settings) -> str:
    """Return the id that marks this installation's jobs on a shared Flink: a digest of its home directory."""
    return blake2b(str(settings.home).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class FlinkJob:
    """A job as the JobManager lists it: `state` is Flink's name, `started_ms` is in Unix milliseconds.

    `tasks_run` is whether each of its tasks runs or has finished.
    """

    id: str
    name: str
    state: str
    started_ms: int
    tasks_run: bool = True

    @property
    def ended(self) -> bool:
        """Return whether the job has stopped for good."""
        return self.state in ENDED_STATES

    @property
    def running(self) -> bool:
        """Return whether the job does its work.

        A job that Flink has restarted is in state RUNNING, too, while its tasks wait for a TaskManager.
        """
        return self.state == "RUNNING" and self.tasks_run


@dataclass(frozen=True)
class CheckpointStats:
    """Statistics of a job's checkpoints since it was submitted.

    `completed_ms` (Unix milliseconds) and `duration_ms` are those of the newest completed checkpoint.
    """

    in_progress: int
    failed: int
    completed_ms: int | None
    duration_ms: int | None


@dataclass(frozen=True)
class OperatorTimes:
    """What the subtasks of an operator did since they started: milliseconds, summed over `parallelism`."""

    back_pressured_ms: float
    busy_ms: float
    parallelism: int


class FlinkClient(AbstractContextManager["FlinkClient"]):
    """A client of one JobManager.

    Every method raises PartUnavailable if the JobManager does not answer, answers with an error status, or
    answers with unexpected JSON.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def jobs(self) -> list[FlinkJob]:
        """Return every job that the JobManager lists, oldest first."""
        jobs = self._get("/jobs/overview", lambda answer: [_job(entry) for entry in answer["jobs"]])
        return sorted(jobs, key=lambda job: job.started_ms)

    def slots(self) -> tuple[int, int]:
        """Return the number of the TaskManagers' slots, and how many of them are free."""
        return self._get("/overview", lambda answer: (answer["slots-total"], answer["slots-available"]))

    def require(self) -> None:
        """Check that the JobManager answers."""
        self.slots()

    def parameters(self, job_id: str) -> Mapping[str, str]:
        """Return the global job parameters that a job was submitted with."""
        return self._get(
            f"/jobs/{job_id}/config",
            lambda answer: dict(answer.get("execution-config", {}).get("user-config", {})),
        )

    def parallelism(self, job_id: str) -> int:
        """Return the number of slots that a job needs: the largest number of subtasks of one operator."""
        return self._get(
            f"/jobs/{job_id}",
            lambda answer: max((vertex["parallelism"] for vertex in answer["vertices"]), default=0),
        )

    def operator_times(self, job_id: str) -> dict[str, OperatorTimes]:
        """Return the id of each operator of a job → the time in which its subtasks waited and worked."""
        return self._get(
            f"/jobs/{job_id}",
            lambda answer: {vertex["id"]: _operator_times(vertex) for vertex in answer["vertices"]},
        )

    def last_failure(self, job_id: str) -> str:
        """Return the stack trace of a job's last failure; empty if there was none."""
        return self._get(
            f"/jobs/{job_id}/exceptions?maxExceptions=1",
            lambda answer: "".join(
                entry["stacktrace"] for entry in answer["exceptionHistory"]["entries"][:1]
            ),
        )

    def has_run(self, job_id: str) -> bool:
        """Return whether all tasks of a job are running, or the job has completed a checkpoint."""
        states = self._get(
            f"/jobs/{job_id}", lambda answer: {vertex["status"] for vertex in answer["vertices"]}
        )
        return states == {"RUNNING"} or self._get(
            f"/jobs/{job_id}/checkpoints", lambda answer: bool(answer.get("counts", {}).get("completed"))
        )

    def checkpoints(self, job_id: str) -> CheckpointStats:
        """Return statistics of a job's checkpoints since it was submitted."""
        return self._get(f"/jobs/{job_id}/checkpoints", _checkpoints)

    def metric(self, path: str, name: str) -> float | None:
        """Return a metric of Flink, summed over processes, or None; `path` is one such as `/jobmanager`."""
        return self._get(
            f"{path}/metrics?get={name}",
            lambda answer: float(answer[0].get("value") or answer[0]["sum"]) if answer else None,
        )

    def trigger_checkpoint(self, job_id: str) -> None:
        """Trigger a checkpoint; returns before the checkpoint is complete."""
        self._call("POST", f"/jobs/{job_id}/checkpoints", {"checkpointType": "CONFIGURED"})

    def cancel(self, job_id: str) -> None:
        """Cancel a job; its checkpoints stay. Returns before the job has ended."""
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def _get(self, path: str, read: Callable[[Any], T]) -> T:
        answer = self._call("GET", path)
        try:
            return read(answer.json())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise PartUnavailable(
                f"Flink at {self._url} returned unexpected JSON for {path}: {error!r}"
            ) from error

    def _call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body).raise_for_status()
        except httpx.HTTPError as error:
            raise PartUnavailable(f"Flink at {self._url} does not answer {path}: {error}") from error


def _job(entry: Mapping[str, Any]) -> FlinkJob:
    tasks = entry["tasks"]
    tasks_run = tasks["running"] + tasks["finished"] == tasks["total"]
    return FlinkJob(entry["jid"], entry["name"], entry["state"], entry["start-time"], tasks_run)


def _operator_times(vertex: Mapping[str, Any]) -> OperatorTimes:
    metrics = vertex["metrics"]
    back_pressured, busy = (float(metrics[f"accumulated-{kind}-time"]) for kind in ("backpressured", "busy"))
    return OperatorTimes(back_pressured, 0.0 if isnan(busy) else busy, vertex["parallelism"])


def _checkpoints(answer: Mapping[str, Any]) -> CheckpointStats:
    newest = answer["latest"]["completed"] or {}
    return CheckpointStats(
        answer["counts"]["in_progress"],
        answer["counts"]["failed"],
        newest.get("latest_ack_timestamp"),
        newest.get("end_to_end_duration"),
    )


def causes(stacktrace: str) -> list[str]:
    """Return the messages of the exceptions in a Java stack trace, outermost first, without stack frames."""
    lines = [line.strip().removeprefix("Caused by: ") for line in stacktrace.splitlines()]
    return [line for line in lines if line and not line.startswith(("at ", "... ", "End of exception"))]


def trigger_checkpoints(settings: Settings, names: Collection[str] = ()) -> None:
    """Trigger a checkpoint of each running job that has no checkpoint in progress; of all, or of `names`.

    Errors of Flink are ignored, because the next periodic checkpoint commits the same offsets.
    """
    installation = installation_id(settings)
    with FlinkClient(settings.flink) as flink, suppress(PartUnavailable):
        for job in _running(flink, names):
            with suppress(PartUnavailable):
                if _is_ours(flink, job, installation) and not flink.checkpoints(job.id).in_progress:
                    flink.trigger_checkpoint(job.id)


def jobs_without_checkpoint(settings: Settings, names: Collection[str]) -> int:
    """Count the jobs that do not run, or have not completed a checkpoint since they were submitted.

    The committed offsets of such a job's consumer group may come from an earlier attempt.

    Raises:
        PartUnavailable: Flink does not answer.
    """
    installation = installation_id(settings)
    with FlinkClient(settings.flink) as flink:
        checkpointed = {
            job.name
            for job in _running(flink, names)
            if _is_ours(flink, job, installation) and flink.checkpoints(job.id).completed_ms is not None
        }
    return len(set(names) - checkpointed)


def _running(flink: FlinkClient, names: Collection[str]) -> list[FlinkJob]:
    """Return the running jobs; all of them if `names` is empty."""
    return [job for job in flink.jobs() if job.state == "RUNNING" and (not names or job.name in names)]


def _is_ours(flink: FlinkClient, job: FlinkJob, installation: str) -> bool:
    return flink.parameters(job.id).get(INSTALLATION) == installation
