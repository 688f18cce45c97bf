"""Metrics of several processes of one server, exposed by one of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import UserError
from common.multiprocess_metrics import DIRECTORY_VARIABLE, enable_multiprocess_metrics
from common.settings import ROOT

COUNT = (
    "from common import metrics\n"
    "metrics.EVENTS_TAKEN.labels('product_viewed', 'accepted').inc(3)\n"
    "metrics.LIVE_LISTENERS.labels('sales').inc()\n"
    "metrics.PART_READY.labels('redis').set(1)\n"
)


def run(directory: Path, program: str) -> str:
    environment = os.environ | {DIRECTORY_VARIABLE: str(directory)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_an_ended_process_stays_in_counters_and_leaves_live_gauges(tmp_path: Path) -> None:
    run(tmp_path, COUNT)
    text = run(tmp_path, COUNT + "print(metrics.exposition().decode())")

    assert 'souk_events_taken_total{event="product_viewed",outcome="accepted"} 6.0\n' in text
    assert 'souk_live_listeners{stream="sales"} 1.0\n' in text
    assert 'souk_part_ready{part="redis"} 1.0\n' in text
    [memory] = [line for line in text.splitlines() if line.startswith("process_resident_memory_bytes")]
    assert float(memory.split()[1]) > 1e6


def test_a_directory_that_cannot_be_written_is_a_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="SOUK_HOME"):
        enable_multiprocess_metrics(tmp_path / "file" / "metrics")


def test_the_directory_is_emptied_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, "")
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "counter_1.db").touch()
    enable_multiprocess_metrics(tmp_path / "metrics")

    assert (list((tmp_path / "metrics").iterdir()), os.environ[DIRECTORY_VARIABLE]) == (
        [],
        str(tmp_path / "metrics"),
    )
