"""How the cost of tracing is computed and decided."""

from dataclasses import replace

import pytest

from bench.log_cost import LogCost
from bench.paired_cost import PairedCost
from bench.telemetry import TelemetryBenchResult

NONE = PairedCost(0.0, 0.0, 0.0)


def test_the_cost_is_the_mean_ratio_with_students_interval() -> None:
    cost = PairedCost.of([1.02, 1.04, 1.06])

    assert cost.estimate == pytest.approx(0.0399, abs=1e-4)
    assert cost.low == pytest.approx(-0.0086, abs=1e-4)  # exp(mean ± 4.303 · s / √3) - 1 of the logarithms
    assert cost.high == pytest.approx(0.0908, abs=1e-4)


def test_a_loss_is_a_ratio_below_one() -> None:
    lost = PairedCost.lost([0.9, 0.9])

    assert lost.estimate == lost.low == lost.high == pytest.approx(0.1)


def test_more_than_a_twentieth_of_the_checkouts_or_events_is_too_much() -> None:
    result = TelemetryBenchResult(NONE, NONE, NONE, NONE, LogCost(10.0, 20.0), [])

    assert result.missed == []
    assert replace(result, checkout_cpu=PairedCost(0.2, 0.1, 0.3)).missed == []
    assert replace(result, checkouts_lost=PairedCost(0.051, 0.0, 0.1)).missed == [
        "tracing costs at most 5% of checkouts a second"
    ]
    assert len(replace(result, events_lost=PairedCost(0.06, 0.05, 0.07)).missed) == 1
