"""Exports metrics of Flink and its jobs to Prometheus. They are read through Flink's REST API.

Flink's own Prometheus reporter listens on all interfaces; the platform listens on loopback only.
"""

import time
from collections.abc import Mapping

from common.metrics import (
    CHECKPOINT_AGE_SECONDS,
    CHECKPOINT_SECONDS,
    CHECKPOINTS_FAILED,
    FLINK_HEAP_BYTES,
    JOB_BACK_PRESSURE,
    JOB_BUSY,
    JOB_RESTARTS,
    JOB_RUNNING,
)
from jobs.flink_client import FlinkClient, FlinkJob, OperatorTimes

REFRESH_S = 10.0
HEAP = "Status.JVM.Memory.Heap.Used"


def load_between(
    before: Mapping[str, OperatorTimes], after: Mapping[str, OperatorTimes], elapsed_s: float
) -> tuple[float, float]:
    """Return the largest shares of time, 0 to 1, in which an operator was back-pressured, and busy.

    An operator whose subtasks started anew since `before` has no share.
    """
    back_pressured, busy = [0.0], [0.0]
    for operator, now in after.items():
        if (was := before.get(operator)) and now.busy_ms >= was.busy_ms:
            possible_ms = max(elapsed_s, 0.001) * 1_000 * now.parallelism
            back_pressured.append((now.back_pressured_ms - was.back_pressured_ms) / possible_ms)
            busy.append((now.busy_ms - was.busy_ms) / possible_ms)
    return min(1.0, max(back_pressured)), min(1.0, max(busy))


class FlinkMetrics:
    """The metrics of Flink and of the jobs in `names`, read from Flink at most every `REFRESH_S` seconds."""

    def __init__(self, flink: FlinkClient, names: Mapping[str, object]) -> None:
        self._flink = flink
        self._names = tuple(names)
        self._next_refresh_at = 0.0
        self._checkpointed_ms: dict[str, int] = {}  # since the submission if no checkpoint was completed
        self._times: dict[str, tuple[float, Mapping[str, OperatorTimes]]] = {}  # by Flink's id of the job

    def update(self, live: Mapping[str, FlinkJob]) -> None:
        """Set the metrics; `live` holds the jobs that have not ended, by name.

        Raises:
            PartUnavailable: Flink does not answer.
        """
        for name in self._names:
            JOB_RUNNING.labels(name).set(name in live and live[name].running)
            if name in self._checkpointed_ms:
                CHECKPOINT_AGE_SECONDS.labels(name).set(time.time() - self._checkpointed_ms[name] / 1000)
        if time.monotonic() < self._next_refresh_at:
            return
        self._next_refresh_at = time.monotonic() + REFRESH_S
        running = {job.id for job in live.values()}
        self._times = {job_id: read for job_id, read in self._times.items() if job_id in running}
        for name, job in live.items():
            if job.state == "RUNNING":
                self._update_job(name, job)
        for process, path in (("jobmanager", "/jobmanager"), ("taskmanager", "/taskmanagers")):
            FLINK_HEAP_BYTES.labels(process).set(self._flink.metric(path, HEAP) or 0)

    def _update_job(self, name: str, job: FlinkJob) -> None:
        checkpoints = self._flink.checkpoints(job.id)
        CHECKPOINTS_FAILED.labels(name).set(checkpoints.failed)
        if checkpoints.completed_ms is None:
            # A job that is submitted again and again must not start anew each time.
            self._checkpointed_ms.setdefault(name, job.started_ms)
        else:
            self._checkpointed_ms[name] = checkpoints.completed_ms
            CHECKPOINT_SECONDS.labels(name).set((checkpoints.duration_ms or 0) / 1000)
        JOB_RESTARTS.labels(name).set(self._flink.metric(f"/jobs/{job.id}", "numRestarts") or 0)
        self._update_load(name, job.id)

    def _update_load(self, name: str, job_id: str) -> None:
        times, now_s = self._flink.operator_times(job_id), time.monotonic()
        if job_id in self._times:
            before_s, before = self._times[job_id]
            back_pressured, busy = load_between(before, times, now_s - before_s)
            JOB_BACK_PRESSURE.labels(name).set(back_pressured)
            JOB_BUSY.labels(name).set(busy)
        self._times[job_id] = now_s, times
