"""Simulated experiments: false alarms when looked at daily, and intervals that hold the truth."""

import numpy as np
import pytest

from recommenders.experiments.verdicts import compare
from tests.unit.experiments.simulated_experiment import days_of, true_difference

DAYS = 21


def false_alarms(runs: int, seed: int, visitors_a_day: int) -> tuple[int, int]:
    """Return in how many A/A runs any daily look found a difference: by sequences, and by fixed intervals."""
    by_sequence = by_interval = 0
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        looks = [compare(*arms) for arms in days_of(rng, DAYS, visitors_a_day)]
        by_sequence += any(look.verdict in ("better", "worse") for look in looks)
        by_interval += any(not look.interval.contains(0) for look in looks)
    return by_sequence, by_interval


def test_daily_looks_at_identical_arms_raise_few_alarms() -> None:
    by_sequence, by_interval = false_alarms(60, 1, 150)
    assert by_sequence <= 3
    assert by_interval >= 6, "fixed intervals must fail here, or the campaign is too easy to prove anything"


@pytest.mark.nightly
def test_of_1000_identical_pairs_looked_at_daily_at_most_5_percent_raise_an_alarm() -> None:
    by_sequence, by_interval = false_alarms(1_000, 2, 150)
    print(
        f"any of {DAYS} daily looks: sequences {by_sequence} of 1000, fixed intervals {by_interval} of 1000"
    )
    assert by_sequence <= 50
    assert by_interval > 100


def test_the_true_uplift_is_inside_and_found_and_identical_arms_are_not() -> None:
    inside = found = silent = 0
    for run in range(20):
        *_, (control, treated) = days_of(np.random.default_rng([3, run]), 14, 900, uplift=0.3)
        result = compare(control, treated)
        inside += result.sequence.contains(true_difference(0.3))
        found += result.verdict == "better"
        *_, same = days_of(np.random.default_rng([4, run]), 14, 900)
        silent += compare(*same).verdict == "no_difference_found"
    assert inside >= 18
    assert found >= 18
    assert silent >= 18
