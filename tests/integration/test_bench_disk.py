import os
import threading
from pathlib import Path

import pytest

from bench.answers import before_all_others
from bench.disk import Disk
from common.realtime import KEEPER
from common.settings import Settings
from tests.integration.servers import await_true
from tests.realtime import needs_real_time


def test_flushes_are_timed_while_the_block_runs_and_leave_nothing(tmp_path: Path) -> None:
    with Disk(tmp_path, every_s=0.001) as disk:
        await_true(lambda: (took := disk.took()) and took.count >= 20)
    took = disk.took()

    assert took
    assert 0 < took.p50_ms <= took.p99_ms <= took.max_ms
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_flush_there_is_no_time(tmp_path: Path) -> None:
    with Disk(tmp_path, every_s=60) as disk:
        assert disk.took() is None


def test_each_look_is_at_the_flushes_since_the_one_before(tmp_path: Path) -> None:
    with Disk(tmp_path, every_s=0.001) as disk:
        await_true(lambda: (took := disk.took()) and took.count >= 5)
        slowest_s = disk.slowest_s()
        looked_at = disk.took()
        await_true(lambda: (took := disk.took()) and looked_at and took.count > looked_at.count)
    since_s = disk.slowest_s()
    took = disk.took()

    assert min(slowest_s, since_s) > 0
    assert disk.slowest_s() == 0.0
    assert took
    assert max(slowest_s, since_s) * 1000 == pytest.approx(took.max_ms, abs=0.06)


@needs_real_time
def test_who_goes_first_flushes_first(tmp_path: Path) -> None:
    with before_all_others(Settings()), Disk(tmp_path):
        (thread,) = (each for each in threading.enumerate() if each.name == "disk")

        assert os.sched_getparam(thread.native_id or 0).sched_priority == KEEPER
