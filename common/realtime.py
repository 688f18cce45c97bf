"""Real time (`sched(7)`, SCHED_RR) for the processes whose answer someone waits for.

On few and busy cores an answer's time is for the most part its waits for a core; who is in real time takes
one from whoever is not (docs/decisions/live-rate.md). Linux lets root do so, and those to whom limits.conf
grants `rtprio`; for all others everything stays as it was. A process that wants more than its allowance, for
one long query or for more requests than there are cores, stands in line like any other until it wants less.
"""

import os
import threading
import time
from contextlib import suppress

import structlog

FIGURES, ORDERS, ANSWERS = 1, 2, 3
"""Priorities: ClickHouse; commerce and its PostgreSQL; the API and its Redis."""

SHARE = 0.5
"""Of a core: what a process may use in real time, all its threads together."""

SAVED_S = 1.0
"""Seconds of CPU that it may use at once, when it has used little before."""

LOOK_S = 0.1
"""How often its use is looked at."""

log = structlog.get_logger()


class Allowance:
    """How long a process may be in real time: what it uses is taken from what it saved, `SAVED_S` at most."""

    def __init__(self, now: float, used: float) -> None:
        self._now, self._used = now, used
        self._saved = SAVED_S
        self._holds = True

    def holds(self, now: float, used: float) -> bool:
        """Whether it may be in real time now, having used so many seconds of CPU since its start.

        Once all is used up it may not until half is saved again: it does not go to and fro.
        """
        self._saved += SHARE * (now - self._now) - (used - self._used)
        self._saved = min(max(self._saved, 0), SAVED_S)
        self._now, self._used = now, used
        self._holds = self._saved >= SAVED_S / 2 or (self._holds and self._saved > 0)
        return self._holds


def go_first(priority: int) -> bool:
    """Put all threads of this process into real time as far as its allowance goes, for good.

    All, for one that waits in line for a core may hold what another in real time waits for.

    Args:
        priority: `FIGURES`, `ORDERS` or `ANSWERS`.

    Returns:
        Whether the system lets us; if not, nothing is changed.
    """
    try:
        _schedule(os.SCHED_RR, priority)
    except PermissionError:
        log.info("not in real time: neither root nor a limit `rtprio` (limits.conf) allows it")
        return False
    threading.Thread(target=_keep, args=(priority,), name="real time", daemon=True).start()
    return True


def _keep(priority: int) -> None:
    """Look after the allowance; in real time itself, for it was begun by a thread that is."""
    allowance = Allowance(time.monotonic(), time.process_time())
    first = True
    while True:
        time.sleep(LOOK_S)
        may = allowance.holds(time.monotonic(), time.process_time())
        if may != first:
            _schedule(os.SCHED_RR if may else os.SCHED_OTHER, priority if may else 0)
        first = may


def _schedule(policy: int, priority: int) -> None:
    """Give all threads a policy; what they begin inherits it."""
    for thread in os.scandir("/proc/self/task"):
        with suppress(ProcessLookupError):  # it has ended
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(priority))
