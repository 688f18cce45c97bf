"""The demo's default rate for machines of different sizes."""

from pathlib import Path

import pytest

from cli import demo
from cli.demo import (
    BUSY_SHARE,
    CORES_PER_EVENT,
    IDLE_CORES,
    LOOP_S,
    available_cores,
    default_rate,
    relative_speed,
)


@pytest.mark.parametrize(("cores", "rate"), [(0.5, 50), (1, 50), (2, 300), (4, 700), (64, 1_000)])
def test_the_rate_grows_with_the_cores_up_to_the_highest_that_was_measured(cores: float, rate: int) -> None:
    assert default_rate(cores) == rate


@pytest.mark.parametrize("cores", [1.2, 2, 3])
def test_a_third_of_the_cores_stays_free(cores: float) -> None:
    assert IDLE_CORES + default_rate(cores) * CORES_PER_EVENT <= cores * BUSY_SHARE


@pytest.mark.parametrize(("text", "most"), [("50000 100000\n", 0.5), ("max 100000\n", 1_000), ("odd", 1_000)])
def test_the_limit_of_a_container_counts(tmp_path: Path, text: str, most: float) -> None:
    limit = tmp_path / "cpu.max"
    limit.write_text(text)

    assert 0 < available_cores(limit) <= most
    assert available_cores(tmp_path / "missing") >= 1


def test_the_best_of_three_loops_tells_the_speed_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([5 * LOOP_S, 2 * LOOP_S, 3 * LOOP_S])
    monkeypatch.setattr(demo, "_loop_s", lambda: next(seconds))
    assert relative_speed() == pytest.approx(0.5)


def test_the_speed_of_this_machine_is_measured() -> None:
    assert 0.005 < relative_speed() < 20
