"""When a sink sends its buffer, from the Java class itself."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.connectors.build import SOURCES
from tests.integration.javac import java_program

PROGRAM = Path(__file__).parents[1] / "java" / "FlushTimes.java"
INTERVAL_MS, BUSY_MS = 200, 2_000

Times = Callable[[int, int, int], tuple[int, int, int]]


@pytest.fixture(scope="module")
def times(tmp_path_factory: pytest.TempPathFactory) -> Times:
    """Time since the last flush, rows, and their wait → waits of the first row, of more rows, of a rest."""
    sources = [SOURCES / "souk/flink/common/Flush.java", PROGRAM]
    command = java_program("souk.flink.common.FlushTimes", sources, tmp_path_factory.mktemp("flush"))

    def run(since_last_ms: int, rows: int, waited_ms: int) -> tuple[int, int, int]:
        words = map(str, (INTERVAL_MS, BUSY_MS, since_last_ms, rows, waited_ms))
        done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=60, check=True)
        first, more, rest = map(int, done.stdout.split())
        return first, more, rest

    return run


@pytest.mark.parametrize(("since_last_ms", "wait_ms"), [(0, 200), (150, 50), (195, 10), (60_000, 10)])
def test_a_row_after_a_pause_is_sent_at_once_and_others_once_an_interval(
    times: Times, since_last_ms: int, wait_ms: int
) -> None:
    assert times(since_last_ms, 1, 1)[0] == wait_ms


@pytest.mark.parametrize(
    ("rows", "waited_ms", "more_ms"), [(1, 10, 0), (20, 10, 0), (21, 10, 200), (5_000, 1_900, 100)]
)
def test_a_buffer_waits_for_more_rows_only_in_a_backlog(
    times: Times, rows: int, waited_ms: int, more_ms: int
) -> None:
    assert times(0, rows, waited_ms)[1] == more_ms


@pytest.mark.parametrize(("waited_ms", "rest_ms"), [(10, 190), (100, 100), (200, 100), (2_000, 100)])
def test_a_rest_of_the_store_delays_a_row_by_half_an_interval_beyond_it_at_most(
    times: Times, waited_ms: int, rest_ms: int
) -> None:
    assert times(0, 1, waited_ms)[2] == rest_ms
