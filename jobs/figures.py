"""Shows what Flink says of itself and of our jobs to Prometheus, through its REST API.

Flink's own Prometheus reporter listens on every address of the machine; the platform opens loopback only.
"""

import time
from collections.abc import Mapping

from common.metrics import (
    CHECKPOINT_AGE_SECONDS,
    CHECKPOINT_SECONDS,
    CHECKPOINTS_FAILED,
    FLINK_HEAP_BYTES,
    JOB_RESTARTS,
    JOB_RUNNING,
)
from jobs.rest import Flink, Job

EVERY_S = 10.0
HEAP = "Status.JVM.Memory.Heap.Used"


class Figures:
    """The metrics of these jobs, read anew at most every `EVERY_S`."""

    def __init__(self, flink: Flink, names: Mapping[str, object]) -> None:
        self._flink = flink
        self._names = tuple(names)
        self._next_at = 0.0
        self._newest_ms: dict[str, int] = {}

    def show(self, live: Mapping[str, Job]) -> None:
        """Set them; `live` holds the jobs that have not ended, by name.

        Raises:
            PartUnavailable: Flink does not answer.
        """
        for name in self._names:
            JOB_RUNNING.labels(name).set(name in live and live[name].state == "RUNNING")
            if name in self._newest_ms:
                CHECKPOINT_AGE_SECONDS.labels(name).set(time.time() - self._newest_ms[name] / 1000)
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + EVERY_S
        for name, job in live.items():
            if job.state == "RUNNING":
                self._job(name, job.id)
        for process, path in (("jobmanager", "/jobmanager"), ("taskmanager", "/taskmanagers")):
            FLINK_HEAP_BYTES.labels(process).set(self._flink.metric(path, HEAP) or 0)

    def _job(self, name: str, job_id: str) -> None:
        checkpoints = self._flink.checkpoints(job_id)
        CHECKPOINTS_FAILED.labels(name).set(checkpoints.failed)
        if checkpoints.newest_ms is not None:
            self._newest_ms[name] = checkpoints.newest_ms
            CHECKPOINT_SECONDS.labels(name).set((checkpoints.took_ms or 0) / 1000)
        JOB_RESTARTS.labels(name).set(self._flink.metric(f"/jobs/{job_id}", "numRestarts") or 0)
