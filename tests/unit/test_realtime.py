import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable

import pytest

from common.realtime import ORDERS, SAVED_S, SHARE, Allowance
from common.settings import ROOT
from tests.realtime import may_go_first

needs_real_time = pytest.mark.skipif(
    not may_go_first(), reason="real time needs root or a limit `rtprio` (limits.conf)"
)


def held(uses: Iterable[float], step_s: float = 0.1) -> list[bool]:
    """What an allowance says after each step in which so much of a core was used."""
    allowance, used = Allowance(0, 0), 0.0
    answers = []
    for index, use in enumerate(uses, 1):
        used += use * step_s
        answers.append(allowance.holds(index * step_s, used))
    return answers


def test_who_uses_less_than_its_share_is_in_real_time_for_good() -> None:
    assert all(held([SHARE - 0.05] * 600))


def test_who_uses_more_is_soon_in_line_and_stays_there() -> None:
    whole = held([1.0] * 600)

    assert whole.index(False) == pytest.approx(SAVED_S / (1 - SHARE) / 0.1, abs=1)
    assert not any(whole[whole.index(False) :])
    assert not held([SHARE + 0.05] * 600)[-1]


def test_it_comes_back_only_when_half_is_saved_again() -> None:
    answers = held([2.0] * 20 + [0.0] * 20)[20:]

    assert answers.index(True) == pytest.approx(SAVED_S / 2 / SHARE / 0.1, abs=1)
    assert all(answers[answers.index(True) :])


def test_a_long_use_is_not_remembered_longer_than_a_short_one() -> None:
    assert held([2.0] * 20 + [0.0] * 20)[20:] == held([2.0] * 6000 + [0.0] * 20)[6000:]


def run(code: str) -> list[str]:
    """The lines that this code prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_real_time
def test_all_threads_go_first_and_those_that_they_begin() -> None:
    printed = run("""
        import os, threading
        from common import realtime

        def begin() -> int:
            thread = threading.Thread(target=threading.Event().wait, daemon=True)
            thread.start()
            return thread.native_id

        before = begin()
        assert realtime.go_first(realtime.ORDERS)
        for thread in (0, before, begin()):
            print(os.sched_getscheduler(thread) == os.SCHED_RR, os.sched_getparam(thread).sched_priority)
        """)

    assert printed == [f"True {ORDERS}"] * 3


@needs_real_time
def test_a_process_that_wants_a_whole_core_stands_in_line_until_it_wants_less() -> None:
    printed = run("""
        import os, time
        from common import realtime

        realtime.go_first(realtime.ORDERS)
        waits = time.monotonic() + 30
        while os.sched_getscheduler(0) == os.SCHED_RR and time.monotonic() < waits:
            pass
        print(os.sched_getscheduler(0) == os.SCHED_OTHER)
        while os.sched_getscheduler(0) == os.SCHED_OTHER and time.monotonic() < waits:
            time.sleep(0.01)
        print(os.sched_getscheduler(0) == os.SCHED_RR)
        """)

    assert printed == ["True", "True"]


def test_where_the_system_forbids_it_all_stays_as_it_is() -> None:
    printed = run("""
        import os, resource
        from common import realtime

        resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        print(realtime.go_first(realtime.ANSWERS), os.sched_getscheduler(0) == os.SCHED_OTHER)
        """)

    assert printed[-1] == "False True"
