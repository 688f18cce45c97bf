"""What several processes of a server count, shown by one of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import UserError
from common.settings import ROOT
from common.shared_metrics import FOLDER, share_metrics

COUNT = (
    "from common import metrics\n"
    "metrics.EVENTS_TAKEN.labels('product_viewed', 'accepted').inc(3)\n"
    "metrics.LIVE_LISTENERS.labels('sales').inc()\n"
    "metrics.PART_READY.labels('redis').set(1)\n"
)


def run(folder: Path, program: str) -> str:
    environment = os.environ | {FOLDER: str(folder)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_those_that_ended_still_count_but_listen_no_more(tmp_path: Path) -> None:
    run(tmp_path, COUNT)
    text = run(tmp_path, COUNT + "print(metrics.exposition().decode())")

    assert 'souk_events_taken_total{event="product_viewed",outcome="accepted"} 6.0\n' in text
    assert 'souk_live_listeners{stream="sales"} 1.0\n' in text
    assert 'souk_part_ready{part="redis"} 1.0\n' in text
    [memory] = [line for line in text.splitlines() if line.startswith("process_resident_memory_bytes")]
    assert float(memory.split()[1]) > 1e6


def test_a_folder_that_can_not_be_written_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="SOUK_HOME"):
        share_metrics(tmp_path / "file" / "metrics")


def test_counting_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, "")
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "counter_1.db").touch()
    share_metrics(tmp_path / "metrics")

    assert (list((tmp_path / "metrics").iterdir()), os.environ[FOLDER]) == ([], str(tmp_path / "metrics"))
