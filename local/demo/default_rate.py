"""Chooses the demo's rate of events from the number of cores, so that a third of them stays free."""

import os
from pathlib import Path

BUSY_SHARE = 2 / 3
"""Share of the cores that the platform and its simulator may use."""

IDLE_CORES = 0.4
"""Cores that the platform uses without traffic."""

CORES_PER_EVENT = 0.00215
"""Cores for one event a second. Two slow cores at full load handled 744 events a second."""

STEP, MIN_RATE, MAX_RATE = 100, 50, 1_000
"""The default is a multiple of `STEP`. Rates above `MAX_RATE` were not measured."""

CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""The CPU limit of a container: `<quota> <period>` in microseconds, or `max <period>`."""


def default_rate(cores: float) -> int:
    """Return the events per second that keep `BUSY_SHARE` of the cores busy, within the limits above."""
    rate = (cores * BUSY_SHARE - IDLE_CORES) / CORES_PER_EVENT
    return min(max(int(rate // STEP) * STEP, MIN_RATE), MAX_RATE)


def available_cores(limit: Path = CGROUP_LIMIT) -> float:
    """Return the number of cores that this process may use: its CPU affinity and its container's limit."""
    cores = float(len(os.sched_getaffinity(0)))
    try:
        quota, period = limit.read_text().split()
        return cores if quota == "max" else min(cores, int(quota) / int(period))
    except (OSError, ValueError):  # no cgroup v2
        return cores
