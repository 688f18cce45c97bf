"""A shopper with very many products is limited, without an effect on other shoppers."""

import numpy as np
import pytest

from recommenders import base
from recommenders.interactions import Interactions, from_columns
from recommenders.models import ridge
from recommenders.models.ridge import Ridge

ROBOT = 50


@pytest.fixture
def visited() -> Interactions:
    """Ten shoppers with two products each, and a robot with all 50 of them, the last code newest but one."""
    return from_columns(
        [shopper for shopper in range(10) for _ in range(2)] + [99] * (ROBOT + 1),
        [*range(20), *range(ROBOT), 7],
        ordered=True,
    )


def test_a_usual_log_is_as_it_was(visited: Interactions) -> None:
    assert base.affinity_with_bounded_gram(visited) is visited.affinity
    assert base.affinity_with_bounded_gram(visited, held=True) is visited.affinity


def test_a_robot_keeps_its_newest_products_and_the_others_keep_all(
    visited: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_GRAM_TERMS", 40 + 6 * 6)

    bounded = base.affinity_with_bounded_gram(visited).toarray()

    np.testing.assert_array_equal(bounded[:10], visited.affinity.toarray()[:10])
    assert np.flatnonzero(bounded[10]).tolist() == [7, 45, 46, 47, 48, 49]


@pytest.mark.parametrize("most", [100, 300])
def test_a_gram_that_is_held_has_no_more_values_than_it_may(
    most: int, visited: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_GRAM_VALUES", most)

    bounded = base.affinity_with_bounded_gram(visited, held=True)

    assert (bounded.T @ bounded).nnz <= most < (visited.affinity.T @ visited.affinity).nnz


def test_a_ridge_learns_from_the_newest_products_of_a_robot(
    visited: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_GRAM_VALUES", 400)
    monkeypatch.setattr(ridge, "MAX_DENSE_PRODUCTS", 0)

    bounded = Ridge().fit(visited).weights

    # Only the robot has product 30, an old one, and 49, its newest.
    assert bounded[[30]].nnz == 0
    assert bounded[[49]].nnz > 0
