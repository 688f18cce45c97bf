"""Intervals over shoppers and the paired test."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommenders.evaluation.intervals import MAX_BLOCKS, Interval, difference, interval


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 5))
def test_an_interval_holds_its_mean_and_stays_within_what_was_seen(values, seed):
    found = interval(np.array(values), seed)

    assert found.mean == pytest.approx(np.mean(values))
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert found == interval(np.array(values), seed)


@pytest.mark.parametrize("count", [400, 3 * MAX_BLOCKS + 7])
def test_an_interval_is_as_wide_as_the_standard_error_says(count):
    values = (np.random.default_rng(3).random(count) < 0.3).astype(np.float64)

    found = interval(values, 1)

    width = 2 * 1.96 * values.std() / np.sqrt(count)
    assert found.high - found.low == pytest.approx(width, rel=0.12)


def test_nobody_gives_no_figure():
    assert np.isnan(interval(np.empty(0), 1).mean)


def test_intervals_are_apart_only_if_they_share_nothing():
    assert Interval(2, 1.5, 2.5).is_disjoint(Interval(1, 0.5, 1.4))
    assert not Interval(2, 1.5, 2.5).is_disjoint(Interval(1, 0.5, 1.5))


def test_a_paired_test_says_what_all_sign_changes_say():
    first = np.array([0.9, 0.4, 0.8, 0.7, 0.2, 0.6, 0.5, 0.9])
    second = np.array([0.5, 0.5, 0.3, 0.6, 0.1, 0.2, 0.6, 0.4])
    apart = first - second
    sums = [abs(np.dot(signs, apart)) for signs in product((-1, 1), repeat=len(apart))]

    found = difference(first, second, 1)

    assert found.interval.mean == pytest.approx(apart.mean())
    assert found.p_value == pytest.approx(np.mean(np.array(sums) >= abs(apart.sum()) - 1e-9), abs=0.03)


def test_a_small_difference_that_all_share_is_seen_although_the_intervals_overlap():
    first = np.random.default_rng(1).random(500)
    second = first - 0.01

    assert not interval(first, 1).is_disjoint(interval(second, 1))
    assert difference(first, second, 1).p_value < 0.01


def test_models_that_are_alike_do_not_differ():
    values = np.random.default_rng(1).random(50)

    assert difference(values, values, 1).p_value == 1.0


def test_values_of_other_shoppers_are_refused():
    with pytest.raises(ValueError, match="2 values against 1"):
        difference(np.zeros(2), np.zeros(1), 1)


@pytest.mark.parametrize("visits", [400, MAX_BLOCKS + 500])
def test_what_is_the_same_within_a_visit_is_no_surer_for_coming_more_often(visits):
    once = (np.random.default_rng(3).random(visits) < 0.3).astype(np.float64)
    four_times, groups = np.repeat(once, 4), np.repeat(np.arange(visits), 4)

    found, alone, narrow = interval(four_times, 1, groups), interval(once, 1), interval(four_times, 1)

    assert found.mean == alone.mean == narrow.mean
    assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert narrow.high - narrow.low < 0.6 * (found.high - found.low)


def test_visits_of_other_lengths_weigh_as_many_cases_as_they_have():
    values, groups = np.array([1.0, 1, 1, 0]), np.array([7, 7, 7, 2])

    found = interval(values, 1, groups)

    assert (found.mean, found.low, found.high) == (0.75, 0.0, 1.0)


def test_a_difference_that_one_visit_alone_makes_is_not_sure():
    first, second = np.ones(40), np.zeros(40)

    assert difference(first, second, 1).p_value < 0.01
    assert difference(first, second, 1, np.zeros(40)).p_value == 1.0
