"""The shop's rules keep the model's order, except for the changes that they define."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from jobs.recommenders.business import (
    apply_rules,
    at_most_per_seller,
    boost,
    diversify,
    in_stock,
    insert_new,
    not_recently_bought,
    pin,
)
from jobs.recommenders.histories import Histories
from jobs.recommenders.interactions import from_columns
from jobs.recommenders.models.popularity import Popularity

LOG = from_columns([1, 1, 1, 2, 2, 3], ["lamp", "rug", "cup", "lamp", "rug", "lamp"])
RANKED = st.lists(st.integers(0, 30), unique=True)


def test_what_is_sold_out_or_of_unknown_stock_is_left_out() -> None:
    assert in_stock([3, 1, 2], {3: 1, 1: 0}) == [3]


def test_what_was_just_bought_is_left_out() -> None:
    assert not_recently_bought([3, 1, 2], {1}) == [3, 2]


def test_a_seller_has_no_more_than_so_many_places() -> None:
    assert at_most_per_seller([1, 2, 3, 4, 5], {1: "a", 2: "a", 3: "a", 4: "b"}, 2) == [1, 2, 4, 5]


def test_a_category_gives_way_once_it_has_its_share() -> None:
    lamps_then_rugs = {1: "lamp", 2: "lamp", 3: "lamp", 4: "rug", 5: "rug"}

    assert diversify([1, 2, 3, 4, 5], lamps_then_rugs, 0.5) == [1, 2, 4, 3, 5]
    assert diversify([1, 2, 3, 4, 5], lamps_then_rugs, 1.0) == [1, 2, 3, 4, 5]


@given(RANKED, st.dictionaries(st.integers(0, 30), st.sampled_from("abc")), st.floats(0.01, 1.0))
def test_diversity_loses_nothing(ranked: list[int], category_of: dict[int, str], share: float) -> None:
    assert sorted(diversify(ranked, category_of, share)) == sorted(ranked)


def test_a_boost_multiplies_and_equals_keep_their_order() -> None:
    assert boost([1, 2, 3], [0.9, 0.5, 0.5], {3: 2.0, 1: 0.0}) == [3, 2, 1]


def test_a_pinned_product_stands_at_its_place() -> None:
    assert pin([1, 2, 3], {9: 0, 3: 2}) == [9, 1, 3, 2]
    assert pin([1], {9: 7}) == [1, 9]


def test_new_products_have_their_share_of_places() -> None:
    assert insert_new([1, 2, 3, 4], [8, 9, 1], 3) == [1, 2, 8, 3, 4, 9]


@given(RANKED, RANKED, st.integers(1, 5))
def test_exploring_keeps_the_order_of_the_rest(ranked: list[int], new: list[int], every: int) -> None:
    mixed = insert_new(ranked, new, every)

    assert [each for each in mixed if each in ranked] == ranked
    assert len(mixed) == len(set(mixed))


def test_rules_are_applied_one_after_the_other_to_what_a_model_ranks() -> None:
    ranked = Popularity().fit(LOG).recommend(Histories.of([[]]), 5).products[0]
    lamp, rug, cup = LOG.product_vocabulary.codes(["lamp", "rug", "cup"]).tolist()

    assert apply_rules(ranked, [], 2) == [lamp, rug]
    assert apply_rules(
        ranked, [partial(in_stock, stock={lamp: 0, rug: 2, cup: 1}), partial(pin, pins={9: 0})], 2
    ) == [9, rug]
    assert apply_rules(
        ranked, [partial(pin, pins={lamp: 2}), partial(not_recently_bought, bought={rug})], 5
    ) == [
        cup,
        lamp,
    ]


def test_a_rule_that_can_not_be_says_so() -> None:
    with pytest.raises(UserError, match="share of a category is 0"):
        diversify([1], {}, 0)
    with pytest.raises(UserError, match="at least 0"):
        boost([1], [-1.0], {})
    with pytest.raises(UserError, match="at least 1"):
        insert_new([1], [2], 0)
