from pathlib import Path

import pytest

from bench.interference import DiskProbe
from tests.integration.servers import await_true


def test_flushes_are_timed_while_the_block_runs_and_leave_no_file(tmp_path: Path) -> None:
    with DiskProbe(tmp_path, interval_s=0.001) as disk:
        await_true(lambda: (quantiles := disk.quantiles()) and quantiles.count >= 20)
    quantiles = disk.quantiles()

    assert quantiles
    assert 0 < quantiles.p50_ms <= quantiles.p99_ms <= quantiles.max_ms
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_flush_there_is_no_time(tmp_path: Path) -> None:
    with DiskProbe(tmp_path, interval_s=60) as disk:
        assert disk.quantiles() is None


def test_each_call_covers_the_flushes_since_the_previous_call(tmp_path: Path) -> None:
    with DiskProbe(tmp_path, interval_s=0.001) as disk:
        await_true(lambda: (quantiles := disk.quantiles()) and quantiles.count >= 5)
        slowest_since_last_call_s = disk.slowest_since_last_call_s()
        looked_at = disk.quantiles()
        await_true(
            lambda: (quantiles := disk.quantiles()) and looked_at and quantiles.count > looked_at.count
        )
    since_s = disk.slowest_since_last_call_s()
    quantiles = disk.quantiles()

    assert min(slowest_since_last_call_s, since_s) > 0
    assert disk.slowest_since_last_call_s() == 0.0
    assert quantiles
    assert max(slowest_since_last_call_s, since_s) * 1000 == pytest.approx(quantiles.max_ms, abs=0.06)
