"""The parts of a change add up to it, and each is what its name says."""

from collections.abc import Iterable
from dataclasses import astuple, fields
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.analytics.decomposition import (
    Effects,
    Sold,
    effects_by_product,
    effects_of_factors,
    round_to_sum,
)

SALES = st.dictionaries(
    st.sampled_from("abcdef"), st.builds(Sold, st.integers(0, 1_000), st.integers(0, 10**9)), max_size=6
)


def _total(effects: Iterable[Effects]) -> Effects:
    rows = [astuple(each) for each in effects]
    return Effects(*(sum(row[field] for row in rows) for field in range(len(fields(Effects)))))


@given(SALES, SALES)
def test_the_effects_add_up_to_the_change_of_each_product_and_of_all(before, now):
    by_product = effects_by_product(before, now)
    total = _total(by_product.values())

    for product, effects in by_product.items():
        then, later = before.get(product, Sold(0, 0)), now.get(product, Sold(0, 0))
        assert sum(astuple(effects)) == later.value - then.value
    assert sum(astuple(total)) == sum(s.value for s in now.values()) - sum(s.value for s in before.values())
    columns = zip(*map(astuple, by_product.values()), strict=True)
    assert astuple(total) == tuple(map(sum, columns)) or not by_product


def test_a_higher_price_of_the_same_units_is_an_effect_of_the_price_alone():
    total = _total(effects_by_product({"lamp": Sold(10, 1_000)}, {"lamp": Sold(10, 1_500)}).values())

    assert total == Effects(only_now=0, only_before=0, price=500, quantity=0, mix=0)


def test_more_units_at_the_same_price_are_an_effect_of_the_quantity_alone():
    total = _total(effects_by_product({"lamp": Sold(10, 1_000)}, {"lamp": Sold(15, 1_500)}).values())

    assert total == Effects(only_now=0, only_before=0, price=0, quantity=500, mix=0)


def test_units_that_move_to_a_dearer_product_are_an_effect_of_the_mix_alone():
    before = {"lamp": Sold(10, 1_000), "sofa": Sold(10, 9_000)}
    now = {"lamp": Sold(5, 500), "sofa": Sold(15, 13_500)}

    total = _total(effects_by_product(before, now).values())

    assert total == Effects(only_now=0, only_before=0, price=0, quantity=0, mix=4_000)


def test_products_of_one_period_only_are_parts_of_their_own():
    by_product = effects_by_product({"lamp": Sold(2, 300)}, {"sofa": Sold(1, 900)})

    total = _total(by_product.values())
    assert total == Effects(only_now=900, only_before=-300, price=0, quantity=0, mix=0)
    assert by_product["lamp"].only_before == -300


def test_a_price_and_a_quantity_that_change_together_share_the_change_evenly():
    total = _total(effects_by_product({"lamp": Sold(10, 1_000)}, {"lamp": Sold(20, 4_000)}).values())

    # By Bennet: 15 units x 100 more each, and 10 more units x a mean price of 150.
    assert total == Effects(only_now=0, only_before=0, price=1_500, quantity=1_500, mix=0)


PRICE = st.integers(1, 500)


@given(st.lists(st.tuples(st.integers(1, 50), PRICE, PRICE), min_size=1, max_size=6), st.integers(1, 9))
def test_units_that_grow_in_proportion_are_no_mix_whatever_the_prices_do(products, growth):
    names = "abcdef"[: len(products)]
    before = {
        name: Sold(units, units * price) for name, (units, price, _) in zip(names, products, strict=True)
    }
    now = {
        name: Sold(units * growth, units * growth * price)
        for name, (units, _, price) in zip(names, products, strict=True)
    }

    total = _total(effects_by_product(before, now).values())

    assert abs(total.mix) <= len(products)  # the parts of each product are rounded


FACTOR = st.floats(0.01, 1e6)


@given(st.lists(st.tuples(FACTOR, FACTOR), min_size=1, max_size=5), st.integers(-(10**12), 10**12))
def test_the_effects_of_factors_add_up_to_the_change(factors, change):
    before, now = zip(*factors, strict=True)

    effects = effects_of_factors(before, now, change)

    assert sum(effects) == change


def test_factors_that_double_and_halve_have_opposite_effects():
    assert effects_of_factors([100.0, 2.0, 5.0], [200.0, 1.0, 5.0], 0) == [693, -693, 0]


@pytest.mark.parametrize(("before", "now"), [([0.0, 1.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, 0.0])])
def test_no_factor_alone_explains_a_change_from_or_to_nothing(before, now):
    with pytest.raises(ValueError, match="not above 0"):
        effects_of_factors(before, now, 5)


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=9), st.integers(1, 7))
def test_rounded_parts_have_the_same_sum_and_are_off_by_less_than_one(parts, divisor):
    exact = [Fraction(part, divisor) for part in parts]
    exact.append(-sum(exact))

    rounded = round_to_sum(exact)

    assert sum(rounded) == 0
    assert all(abs(one - other) < 1 for one, other in zip(rounded, exact, strict=True))
