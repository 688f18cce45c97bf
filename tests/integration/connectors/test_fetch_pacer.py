"""How long the batches of a Kafka topic are held back, from the Java class itself."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from common.settings import Settings
from jobs.connectors.build import SOURCES
from jobs.sources import FETCH_IMMEDIATELY
from local.install.jars import jars
from tests.integration.javac import java_program

PROGRAM = Path(__file__).parents[1] / "java" / "FetchPacerDelays.java"
CLASS = FETCH_IMMEDIATELY["properties.interceptor.classes"]
PACE_MS = 50

Delays = Callable[[list[tuple[int, int]]], list[int]]


@pytest.fixture(scope="module")
def delays(tmp_path_factory: pytest.TempPathFactory) -> Delays:
    """[(when a batch has come, its records)] → the delay of each, in ms."""
    sources = [(SOURCES / CLASS.replace(".", "/")).with_suffix(".java"), PROGRAM]
    folder, libraries = tmp_path_factory.mktemp("pacer"), jars(Settings(), "flink")
    command = java_program("souk.flink.common.FetchPacerDelays", sources, folder, libraries)

    def run(batches: list[tuple[int, int]]) -> list[int]:
        words = [str(word) for batch in batches for word in batch]
        run = [*command, str(PACE_MS), *words]
        done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
        return [int(line) for line in done.stdout.split()]

    return run


def test_the_first_batch_and_one_after_a_pause_are_not_delayed(delays: Delays) -> None:
    assert delays([(1, 1), (60, 1), (1_000, 3)]) == [0, 0, 0]


def test_a_busy_topic_has_twenty_batches_a_second(delays: Delays) -> None:
    found = delays([(1, 1), (6, 2), (56, 20), (106, 20)])

    assert found == [0, 45, 45, 45]


def test_a_backlog_is_not_delayed(delays: Delays) -> None:
    assert delays([(1, 500), (2, 500), (3, 500)]) == [0, 0, 0]
