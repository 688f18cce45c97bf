"""Metrics of the catalogue over all lists."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommenders.evaluation.metrics import catalogue_metrics, gini

LISTS = np.array([[0, 1], [0, -1]], dtype=np.int32)
BUYERS = np.array([4, 2, 1, 0])


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_gini_is_half_the_relative_mean_difference(amounts):
    amounts = np.array(amounts, dtype=np.float64)
    apart = np.abs(amounts[:, None] - amounts).mean()

    assert gini(amounts) == pytest.approx(apart / (2 * amounts.mean()) if amounts.any() else 0.0)


def test_coverage_and_novelty_count_what_is_shown():
    found = catalogue_metrics(LISTS, BUYERS, 8)

    assert found.coverage == 2 / 4
    assert found.novelty == pytest.approx((1 + 2 + 1) / 3)
    assert (found.seller_gini, found.sellers_seen) == (None, None)


def test_popularity_lift_is_against_what_shoppers_took_themselves():
    taken = (4 * 4 + 2 * 2 + 1) / 7

    assert catalogue_metrics(LISTS, BUYERS, 8).popularity_lift == pytest.approx((10 / 3) / taken - 1)


def test_a_product_that_nobody_knows_is_as_new_as_one_that_one_knows():
    shown = np.array([[3], [2]], dtype=np.int32)

    assert catalogue_metrics(shown, BUYERS, 8).novelty == 3


def test_sellers_share_exposure_by_place():
    found = catalogue_metrics(LISTS, BUYERS, 8, sellers=np.array([0, 1, 2, 2], dtype=np.int32))

    assert found.sellers_seen == 2 / 3
    assert found.seller_gini == pytest.approx(gini(np.array([2.0, 1 / np.log2(3), 0.0])))


def test_empty_lists_show_nothing():
    found = catalogue_metrics(np.full((2, 2), -1, dtype=np.int32), BUYERS, 8, np.zeros(4, dtype=np.int32))

    assert (found.coverage, found.novelty, found.popularity_lift) == (0.0, 0.0, 0.0)
    assert (found.seller_gini, found.sellers_seen) == (0.0, 0.0)
