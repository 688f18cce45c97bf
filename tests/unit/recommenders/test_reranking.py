"""Held-out events are not used for training, and trees as arrays predict the same as scikit-learn's."""

from collections import Counter

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from common.errors import UserError
from recommenders.histories import Histories
from recommenders.interactions import Interactions, from_columns
from recommenders.models.hybrid import Hybrid
from recommenders.reranking import HoldOutMethod, features, hold_out, interest, learn_trees, predict_trees


@pytest.mark.parametrize("how", ["last", "cut", "random"])
def test_what_is_held_out_is_in_no_history_and_in_no_training(how: HoldOutMethod, log: Interactions) -> None:
    held = hold_out(log, 20, how, np.random.default_rng(3))

    assert held is not None
    assert len(held.histories) == len(held.targets) == 20
    assert (held.histories.lengths >= 1).all()
    assert (held.targets.lengths >= 1).all()
    whole = {tuple(each.tolist()) for each in log.sequences}
    left = {tuple(each.tolist()) for each in held.log.sequences}
    if how == "cut":
        assert len(left) == len(whole) - 20
        assert left < whole
    else:
        assert len(held.log) <= len(log) - 20
        assert {tuple(each.tolist()) for each in held.histories} <= left


def test_the_last_event_and_the_one_after_a_cut_follow_the_history(log: Interactions) -> None:
    whole = [each.tolist() for each in log.sequences]
    for how in ("last", "cut"):
        held = hold_out(log, 30, how, np.random.default_rng(3))  # type: ignore[arg-type]
        assert held is not None
        for history, target in zip(held.histories, held.targets, strict=True):
            begun = [*history.tolist(), *target.tolist()]
            assert any(each[: len(begun)] == begun for each in whole)


def test_every_event_after_the_first_of_a_visit_that_is_left_out_is_an_example(log: Interactions) -> None:
    held = hold_out(log, 30, "every", np.random.default_rng(3))

    assert held is not None
    whole = Counter(tuple(each.tolist()) for each in log.sequences)
    left_out = whole - Counter(tuple(each.tolist()) for each in held.log.sequences)
    examples = [
        (*history.tolist(), *target.tolist())
        for history, target in zip(held.histories, held.targets, strict=True)
    ]
    assert sorted(examples) == sorted(
        each[:end] for each in left_out.elements() for end in range(2, len(each) + 1)
    )
    assert 0 < len(examples) <= 30


def test_a_visit_with_more_events_than_examples_gives_some_of_them() -> None:
    log = from_columns([1] * 50 + [2] * 50, [*range(50)] * 2, sessions=[1] * 50 + [2] * 50)

    held = hold_out(log, 5, "every", np.random.default_rng(0))

    assert held is not None
    assert len(held.log) == 50
    assert [history.tolist() for history in held.histories] == [
        [*range(target)] for target in held.targets.products.tolist()
    ]
    assert len(set(held.targets.products.tolist())) == 5


def test_nothing_is_held_out_where_nothing_would_be_left() -> None:
    assert hold_out(from_columns([1, 2], [1, 1], ordered=True), 5, "last", np.random.default_rng(0)) is None


def test_trees_in_arrays_say_what_scikit_learn_says() -> None:
    rng = np.random.default_rng(5)
    known = rng.normal(size=(600, 4)).astype(np.float32)
    labels = known[:, 0] * known[:, 1] + rng.normal(size=600) > 0
    fresh = rng.normal(size=(100, 4)).astype(np.float32)

    told = predict_trees(learn_trees(known, labels, 15, 0), fresh)
    theirs = HistGradientBoostingClassifier(
        max_iter=15, learning_rate=0.08, max_leaf_nodes=24, min_samples_leaf=50, l2_regularization=1.0,
        early_stopping=False, random_state=0,
    ).fit(known, labels)  # fmt: skip
    np.testing.assert_allclose(np.diff(told), np.diff(theirs.decision_function(fresh)), atol=1e-5)


def test_features_are_of_members_then_of_the_product_then_of_the_history() -> None:
    scores = np.array([[0.0, 4.0, 2.0]], np.float32)
    known = np.arange(12, dtype=np.float32).reshape(4, 3)

    rows = features(
        [scores], np.array([[1, 2]], np.int32), Histories.of([[2, 1, 2]]), known, np.array([1.0, 0.5])
    )

    first, second = (
        [1.0, 0.0, 1.0, 4.0, 7.0, 10.0, 1.0, 0.5],
        [0.5, np.log(2), 2.0, 5.0, 8.0, 11.0, 2.0, 1.25],
    )
    np.testing.assert_allclose(rows, [[*first, np.log(4)], [*second, np.log(4)]], rtol=1e-6)


def test_interest_counts_shoppers_and_the_newest_events() -> None:
    log = from_columns([1] * 50 + [2] * 50, [0] * 95 + [1] * 5, ordered=True)

    counts = np.expm1(interest(log)).round().tolist()
    assert counts == [[2.0, 1.0], [15.0, 5.0], [0.0, 5.0], [0.0, 1.0]]


def test_members_that_are_none_are_told_in_a_line() -> None:
    with pytest.raises(UserError, match="no member 'nobody': choose from popularity"):
        Hybrid(members='{"nobody": {}}')
    with pytest.raises(UserError, match="members must be like"):
        Hybrid(members="ridge")
    with pytest.raises(UserError, match="order 'up' is not known"):
        Hybrid(order="up")
