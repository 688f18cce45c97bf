"""How long the sinks of a process wait for each other, asked of the Java itself."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.connectors.build import SOURCES
from tests.integration.javac import java_program

PROGRAM = Path(__file__).parents[1] / "java" / "PaceOf.java"
LONGEST_MS = 200

Pace = Callable[[list[tuple[int, int]]], list[int]]


@pytest.fixture(scope="module")
def waits(tmp_path_factory: pytest.TempPathFactory) -> Pace:
    """(when a request is ready, how long the one before took) in turn → how long each waits, all in ms."""
    sources = [SOURCES / "souk/flink/common/Pacer.java", PROGRAM]
    command = java_program("souk.flink.common.PaceOf", sources, tmp_path_factory.mktemp("pace"))

    def ask(requests: list[tuple[int, int]]) -> list[int]:
        words = [str(word) for request in requests for word in (*request, LONGEST_MS)]
        said = subprocess.run([*command, *words], capture_output=True, text=True, timeout=60, check=True)
        return [int(line) for line in said.stdout.split()]

    return ask


def test_requests_that_are_ready_at_once_take_turns_and_the_target_rests_between_them(waits: Pace) -> None:
    assert waits([(0, 10), (0, 10), (0, 10)]) == [0, 30, 60]


def test_the_slower_the_target_answers_the_longer_the_next_one_waits(waits: Pace) -> None:
    assert waits([(0, 1), (0, 40), (0, 1)]) == [0, 3, 123]


def test_who_comes_when_all_had_their_turn_does_not_wait(waits: Pace) -> None:
    assert waits([(0, 10), (20, 10), (61, 10)]) == [0, 10, 0]


def test_nobody_waits_longer_than_the_longest_however_slow_the_target_is(waits: Pace) -> None:
    assert waits([(0, 60_000), (0, 60_000), (0, 60_000)]) == [0, LONGEST_MS, LONGEST_MS]
