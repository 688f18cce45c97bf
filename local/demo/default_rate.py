"""Chooses the demo's rate of events from the cores and their speed, so that a third of them stays free."""

import os
import time
from pathlib import Path

BUSY_SHARE = 2 / 3
"""Share of the cores that the platform and its simulator may use."""

IDLE_CORES = 0.4
"""Cores that the platform uses without traffic."""

CORES_PER_EVENT = 0.003
"""Cores for one event a second: 400 of them took 1.6 cores, with those of an idle platform."""

LOOP_STEPS, LOOP_S = 200_000, 0.014
"""The loop of `relative_speed`, and its CPU time in seconds on a machine of that kind. On a slower one, such
as a laptop or a virtual machine beside busy ones, an event costs more in the same proportion."""

STEP, MIN_RATE, MAX_RATE = 100, 50, 1_000
"""The default is a multiple of `STEP`. Rates above `MAX_RATE` were not measured."""

CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""The CPU limit of a container: `<quota> <period>` in microseconds, or `max <period>`."""


def default_rate(cores: float) -> int:
    """Return the events per second that keep `BUSY_SHARE` of the cores busy, within the limits above.

    `cores` are those of the machine on which the costs above were measured.
    """
    rate = (cores * BUSY_SHARE - IDLE_CORES) / CORES_PER_EVENT
    return min(max(int(rate // STEP) * STEP, MIN_RATE), MAX_RATE)


def relative_speed() -> float:
    """Return the speed of this machine's cores, as a multiple of that which the costs above belong to."""
    return LOOP_S / min(_loop_s() for _ in range(3))


def _loop_s() -> float:
    begun, total = time.process_time(), 0
    for number in range(LOOP_STEPS):
        total += number * number % 7
    return time.process_time() - begun


def available_cores(limit: Path = CGROUP_LIMIT) -> float:
    """Return the number of cores that this process may use: its CPU affinity and its container's limit."""
    cores = float(len(os.sched_getaffinity(0)))
    try:
        quota, period = limit.read_text().split()
        return cores if quota == "max" else min(cores, int(quota) / int(period))
    except (OSError, ValueError):  # no cgroup v2
        return cores
