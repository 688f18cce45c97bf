import errno
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterable

import pytest

from common.realtime import (
    ANSWERS,
    BACK_S,
    FIGURES,
    KEEPER,
    ORDERS,
    SAVED_S,
    Allowance,
    go_first,
    permitted,
    share,
)
from common.settings import ROOT, Settings
from local.supervision import launch
from tests.realtime import needs_real_time

SHARE = 0.4


def held(uses: Iterable[float], step_s: float = 0.1) -> list[bool]:
    """What an allowance says after each step in which so much of a core was used."""
    allowance, used = Allowance(SHARE, 0, 0), 0.0
    answers = []
    for index, use in enumerate(uses, 1):
        used += use * step_s
        answers.append(allowance.holds(index * step_s, used))
    return answers


def test_who_uses_less_than_its_share_is_in_real_time_for_good() -> None:
    assert all(held([SHARE - 0.05] * 600))


@pytest.mark.parametrize("above", [1 - SHARE, 0.05])
def test_who_uses_more_is_in_line_when_what_it_saved_is_used_up_and_stays_there(above: float) -> None:
    looks = int(2 * SAVED_S / above / 0.1)
    answers = held([SHARE + above] * looks)

    assert answers.index(False) == pytest.approx(looks / 2, abs=1)
    assert not any(answers[answers.index(False) :])


def test_it_comes_back_only_when_some_is_saved_again() -> None:
    answers = held([2.0] * 20 + [0.0] * 20)[20:]

    assert answers.index(True) == pytest.approx(BACK_S / SHARE / 0.1, abs=1)
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
        import os, threading, time
        from common import realtime
        from common.settings import Settings

        def begin() -> int:
            thread = threading.Thread(target=threading.Event().wait, daemon=True)
            thread.start()
            return thread.native_id

        before = begin()
        assert realtime.go_first(Settings(), realtime.ORDERS)
        waits = time.monotonic() + 30
        while not os.sched_getscheduler(before) and time.monotonic() < waits:
            time.sleep(0.01)
        for thread in (0, before, begin()):
            print(os.sched_getscheduler(thread) == os.SCHED_RR, os.sched_getparam(thread).sched_priority)
        """)

    assert printed == [f"True {ORDERS}"] * 3


@needs_real_time
def test_a_thread_that_answers_goes_before_the_others_and_those_that_it_begins_do_not() -> None:
    printed = run("""
        import os, threading, time
        from concurrent.futures import ThreadPoolExecutor
        from common import realtime
        from common.settings import Settings

        def begun() -> list[int]:
            thread = threading.Thread(target=threading.Event().wait, daemon=True)
            thread.start()
            return [threading.get_native_id(), thread.native_id]

        assert realtime.go_first(Settings(), realtime.FIGURES)
        pool = ThreadPoolExecutor(1, initializer=realtime.answer)
        answers, begun_by_it = pool.submit(begun).result()
        expected = [realtime.ANSWERS, realtime.FIGURES, realtime.FIGURES]

        def priorities() -> list[int]:
            return [os.sched_getparam(thread).sched_priority for thread in (answers, begun_by_it, 0)]

        waits = time.monotonic() + 30
        while priorities() != expected and time.monotonic() < waits:
            time.sleep(0.01)
        print(priorities() == expected)
        """)

    assert printed == ["True"]


@needs_real_time
def test_who_goes_on_wanting_all_cores_stands_in_line_until_it_wants_less() -> None:
    printed = run("""
        import hashlib, os, threading, time
        from common import realtime
        from common.settings import Settings

        over = threading.Event()

        def burn() -> None:
            while not over.is_set():
                hashlib.pbkdf2_hmac("sha256", b"", b"", 50_000)  # it needs no lock of Python's meanwhile

        def policies() -> list[int]:
            found = [os.sched_getscheduler(int(each)) for each in os.listdir("/proc/self/task")]
            return sorted(found)

        def wait_for(expected: list[int]) -> bool:
            waits = time.monotonic() + 30
            while policies() != expected and time.monotonic() < waits:
                time.sleep(0.01)
            return policies() == expected

        realtime.go_first(Settings(), realtime.ORDERS)
        cores = len(os.sched_getaffinity(0))
        threads = [threading.Thread(target=burn) for _ in range(cores)]
        for each in threads:
            each.start()
        print(wait_for([os.SCHED_OTHER] * (cores + 1) + [os.SCHED_RR]))  # the last looks after the share
        over.set()
        for each in threads:
            each.join()
        print(wait_for([os.SCHED_RR] * 2))
        """)

    assert printed == ["True", "True"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.EINVAL])
def test_where_the_system_forbids_it_nothing_happens(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    before = threading.active_count()

    assert not go_first(Settings(), ANSWERS)
    assert threading.active_count() == before


@needs_real_time
def test_who_does_not_want_it_stands_in_line() -> None:
    before = threading.active_count()

    assert not go_first(Settings(real_time=False), ANSWERS)
    assert threading.active_count() == before


def test_all_priorities_are_permitted_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a limit that permits only the lowest, ClickHouse would go before the API."""

    def permit_the_lowest(_: int, __: int, param: os.sched_param) -> None:
        if param.sched_priority > FIGURES:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "sched_setscheduler", permit_the_lowest)

    assert not permitted()


def test_whom_the_system_forbids_it_stands_in_line() -> None:
    printed = run("""
        import os, resource
        from common import realtime
        from common.settings import Settings

        settings = Settings()  # souk.toml may lie where only root reads
        resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        print(realtime.go_first(settings, realtime.FIGURES), os.sched_getscheduler(0) == os.SCHED_OTHER)
        """)

    assert printed[-1] == "False True"


def test_the_launcher_knows_the_highest_priority() -> None:
    assert launch.HIGHEST == KEEPER
    assert ANSWERS < KEEPER


@pytest.mark.parametrize(("processes", "cores"), [(2, 2), (1, 2), (8, 4), (8, 16)])
def test_all_of_ours_together_leave_a_fifth_of_the_cores(processes: int, cores: int) -> None:
    settings = Settings(serving_processes=processes)

    shares = [share(settings, each, cores) for each in (FIGURES, ORDERS, *[ANSWERS] * processes)]

    assert sum(shares) == pytest.approx(0.8 * cores)
    assert min(shares) == share(settings, ORDERS, cores)
