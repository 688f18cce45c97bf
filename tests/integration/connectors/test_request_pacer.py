"""The delays between the requests of a process's sinks, from the Java class itself."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.connectors.build import SOURCES
from tests.integration.javac import java_program

PROGRAM = Path(__file__).parents[1] / "java" / "RequestPacerDelays.java"
LONGEST_MS = 200

Delays = Callable[[list[tuple[int, int]]], list[int]]


@pytest.fixture(scope="module")
def delays(tmp_path_factory: pytest.TempPathFactory) -> Delays:
    """[(when a request is ready, how long the sink's last one took)] → the delay of each, all in ms."""
    sources = [SOURCES / "souk/flink/common/RequestPacer.java", PROGRAM]
    command = java_program("souk.flink.common.RequestPacerDelays", sources, tmp_path_factory.mktemp("pacer"))

    def run(requests: list[tuple[int, int]]) -> list[int]:
        words = [str(word) for request in requests for word in (*request, LONGEST_MS, LONGEST_MS)]
        done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=60, check=True)
        return [int(line) for line in done.stdout.split()]

    return run


def test_requests_that_are_ready_at_the_same_time_are_spread_out(delays: Delays) -> None:
    assert delays([(0, 10), (0, 10), (0, 10)]) == [0, 15, 30]


def test_a_slower_request_delays_the_next_one_longer(delays: Delays) -> None:
    assert delays([(0, 1), (0, 40), (0, 1)]) == [0, 1, 61]


def test_a_request_after_the_last_delay_is_not_delayed(delays: Delays) -> None:
    assert delays([(0, 10), (10, 10), (31, 10)]) == [0, 5, 0]


def test_no_delay_exceeds_the_longest(delays: Delays) -> None:
    assert delays([(0, 60_000), (0, 60_000), (0, 60_000)]) == [0, LONGEST_MS, LONGEST_MS]
