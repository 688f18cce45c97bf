"""Splits of a log into training and test events."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from recommenders.evaluation import splits

GROUPS = st.lists(st.integers(0, 4), min_size=1, max_size=30).map(np.array)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=50), st.floats(0.05, 0.95))
def test_a_cut_in_time_puts_nothing_held_before_anything_kept(times, share):
    times = np.array(times)
    if len(set(times)) == 1:
        with pytest.raises(UserError, match="same time"):
            splits.latest(times, share)
        return

    held = splits.latest(times, share)

    assert times[held].min() > times[~held].max()


def test_a_cut_in_time_holds_the_share_that_was_asked_for():
    times = np.random.default_rng(1).permutation(1_000)

    assert splits.latest(times, 0.2).sum() == 200


@given(GROUPS, st.integers(1, 3), st.integers(0, 99))
def test_the_last_of_each_are_the_last_and_no_group_loses_all(groups, count, seed):
    order = np.random.default_rng(seed).integers(0, 5, len(groups))

    held = splits.last_of_each(groups, order, count)

    for group in set(groups.tolist()):
        rows = sorted(np.flatnonzero(groups == group), key=lambda row: (order[row], row))
        expected = rows[-count:] if len(rows) > count else []
        assert [row for row in rows if held[row]] == expected


@given(GROUPS, st.floats(0.1, 0.9), st.integers(0, 99))
def test_a_random_share_of_each_keeps_one_at_least(groups, share, seed):
    held = splits.random_share_of_each(groups, share, seed)

    for group in set(groups.tolist()):
        size = (groups == group).sum()
        assert held[groups == group].sum() == min(round(size * share), size - 1)
    assert (held == splits.random_share_of_each(groups, share, seed)).all()


@given(GROUPS, st.integers(2, 5), st.integers(0, 99))
def test_folds_share_no_event_and_together_are_all_of_groups_with_more_than_one(groups, folds, seed):
    held = [splits.random_share_of_each(groups, 1 / folds, seed, fold) for fold in range(folds)]

    _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    assert (np.sum(held, axis=0) == (sizes[places] > 1)).all()
    for each in held:
        assert all((~each)[groups == group].any() for group in set(groups.tolist()))


@given(GROUPS, st.floats(0.01, 0.99), st.integers(0, 99))
def test_groups_are_held_whole(groups, share, seed):
    if len(set(groups.tolist())) == 1:
        with pytest.raises(UserError, match="only one"):
            splits.random_groups(groups, share, seed)
        return
    order = np.arange(len(groups))

    for held in (splits.random_groups(groups, share, seed), splits.latest_groups(groups, order, share)):
        assert held.any()
        assert not held.all()
        assert not set(groups[held].tolist()) & set(groups[~held].tolist())


def test_the_latest_groups_are_those_that_began_last():
    groups, order = np.array([7, 3, 7, 5, 3]), np.array([0, 10, 99, 20, 30])

    assert splits.latest_groups(groups, order, 0.34).tolist() == [False, False, False, True, False]


@given(GROUPS, st.floats(0.1, 0.9), st.integers(0, 99))
def test_a_run_is_of_events_that_follow_one_another(groups, share, seed):
    held = splits.random_run_of_each(groups, np.arange(len(groups)), share, seed)

    for group in set(groups.tolist()):
        mine = held[groups == group]
        assert mine.sum() == min(round(len(mine) * share), len(mine) - 1)
        assert (mine & ~np.roll(mine, 1)).sum() <= 1
