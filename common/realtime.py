"""Real time (`sched(7)`, SCHED_RR) for the processes whose answer someone waits for.

On few and busy cores an answer's time is for the most part its waits for a core; who is in real time takes
one from whoever is not (docs/decisions/real-time.md). Linux permits it with CAP_SYS_NICE, which root has
outside containers, and where limits.conf grants `rtprio`; for all others everything stays as it was.
`SOUK_REAL_TIME=0` does without. A process that goes on wanting more than its share stands in line like any
other until it wants less, so that a long query or too many requests leave something to all else.
"""

import itertools
import os
import threading
import time
from contextlib import suppress
from resource import RLIM_INFINITY, RLIMIT_RTTIME, getrlimit

import structlog

from common.settings import Settings

FIGURES, ORDERS, ANSWERS, KEEPER = 1, 2, 3, 4
"""Priorities: ClickHouse; commerce and its PostgreSQL; the API, its Redis and what ClickHouse does for the
API; who looks after the shares."""

ALL = 0.8
"""Of all cores: what our own processes may use in real time together, for good."""

SAVED_S, BACK_S = 2.0, 0.5
"""Seconds of CPU that one of them may use at once, when it has used little before; and, when it has used all
that, how much it saves before it is in real time again."""

LOOK_S = 0.1
"""How often its use is looked at; threads that are new, every `_SWEEP` looks."""
_SWEEP = 10

_COMMERCE = 0.6
"""What commerce has of that, for what ClickHouse and each process that answers for the API have."""

_ROUNDS = 8
"""A thread may begin another while the threads are gone through; by then there is none that does."""

_answering: set[int] = set()
"""Threads of this process that are before its others."""

log = structlog.get_logger()


class Allowance:
    """How long a process may be in real time: what it uses is taken from what it saved, `SAVED_S` at most."""

    def __init__(self, share: float, now: float, used: float) -> None:
        self._share = share
        self._now, self._used = now, used
        self._saved = SAVED_S
        self._holds = True

    def holds(self, now: float, used: float) -> bool:
        """Whether it may be in real time now, having used so many seconds of CPU since its start.

        Once all is used up it may not until `BACK_S` is saved again: it does not go to and fro.
        """
        self._saved += self._share * (now - self._now) - (used - self._used)
        self._saved = min(max(self._saved, 0), SAVED_S)
        self._now, self._used = now, used
        self._holds = self._saved >= BACK_S or (self._holds and self._saved > 0)
        return self._holds


def share(settings: Settings, priority: int, cores: int) -> float:
    """Of a core: what one of our processes of this priority may use in real time for good."""
    clickhouse, api = 1, settings.serving_processes
    one = ALL * cores / (clickhouse + api + _COMMERCE)
    return one * _COMMERCE if priority == ORDERS else one


def go_first(settings: Settings, priority: int) -> bool:
    """Put all threads of this process into real time, as far as its share goes.

    All, for one that stands in line may hold what another in real time waits for. What they begin inherits
    it, processes too, of which there should be none: this looks after its own threads only.

    Args:
        settings: whether it is wanted, and how many processes share the cores.
        priority: `FIGURES`, `ORDERS` or `ANSWERS`.

    Returns:
        Whether it is wanted and the system permits it; if not, nothing is changed.
    """
    if not settings.real_time or not permitted():
        return False
    cores = os.sched_getaffinity(os.getppid())  # each process of the API has but a part of them
    of_a_core = share(settings, priority, len(cores))
    threading.Thread(target=_keep, args=(priority, of_a_core), name="real time", daemon=True).start()
    return True


def answer() -> None:
    """Put the calling thread, for good, before the others of this process where those are in real time.

    Someone waits for what it does; the others' work may show a moment later. It goes with the API, `ANSWERS`.
    """
    _answering.add(threading.get_native_id())


def permitted() -> bool:
    """Whether this process may be in real time: all priorities or none, lest the last go first."""
    if getrlimit(RLIMIT_RTTIME)[0] != RLIM_INFINITY:
        log.info("not in real time: the limit RLIMIT_RTTIME would end the process")
        return False
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(KEEPER))
        os.sched_setscheduler(0, *before)
    except OSError as error:  # EPERM; ENOSYS from some sandboxes
        log.info("not in real time: it takes CAP_SYS_NICE or a limit `rtprio`", error=error.strerror)
        return False
    return True


def _keep(priority: int, of_a_core: float) -> None:
    """Look after the share, before all others: nothing of this process may keep it from that."""
    keeper = threading.get_native_id()
    os.sched_setscheduler(keeper, os.SCHED_RR, os.sched_param(KEEPER))
    allowance = Allowance(of_a_core, time.monotonic(), time.process_time())
    given: bool | None = None
    for look in itertools.count():
        may = allowance.holds(time.monotonic(), time.process_time())
        if may is not given or look % _SWEEP == 0:
            try:
                _give(keeper, priority if may else 0)
                given = may
            except OSError as error:  # no descriptor left, a limit that was lowered: at the next look
                log.warning("threads were not put in or out of real time", error=error.strerror)
        time.sleep(LOOK_S)


def _give(keeper: int, priority: int) -> None:
    """Give a priority, 0 for none, to all threads but the keeper that have another; more to who answers."""
    policy = os.SCHED_RR if priority else os.SCHED_OTHER
    for _ in range(_ROUNDS):
        changed = False
        for thread in map(int, os.listdir("/proc/self/task")):  # noqa: PTH208 a hundred of them, every second
            its = ANSWERS if priority and thread in _answering else priority
            with suppress(ProcessLookupError):  # it has ended
                if thread != keeper and os.sched_getparam(thread).sched_priority != its:
                    os.sched_setscheduler(thread, policy, os.sched_param(its))
                    changed = True
        if not changed:
            return
