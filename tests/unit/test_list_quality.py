"""The formulas against brute force, over random amounts and lists."""

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommenders.list_quality import (
    RankedSums,
    catalogue_coverage,
    gini,
    popularity_lift,
    shares,
    total_variation,
)

AMOUNTS = st.lists(st.floats(0, 1e6, allow_subnormal=False), max_size=30)
NAMED = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.001, 1e6), min_size=1)


def mean_difference(amounts: Sequence[float]) -> float:
    """Return the Gini coefficient by its definition: half of the relative mean absolute difference."""
    n = len(amounts)
    return sum(abs(one - other) for one in amounts for other in amounts) / (2 * n * sum(amounts))


@given(AMOUNTS, st.integers(0, 20))
def test_gini_is_half_of_the_relative_mean_difference(amounts: list[float], without: int) -> None:
    everybody = [*amounts, *[0.0] * without]
    found = gini(RankedSums.of(amounts), len(everybody))
    if sum(amounts) <= 0:
        assert found is None
    else:
        assert found == pytest.approx(mean_difference(everybody), abs=1e-9)


@given(st.integers(1, 1_000), st.floats(0.1, 1e6))
def test_gini_is_0_if_all_are_equal_and_nearly_1_if_one_has_everything(n: int, amount: float) -> None:
    equal, alone = gini(RankedSums.of([amount] * n), n), gini(RankedSums.of([amount]), n)
    assert equal == pytest.approx(0, abs=1e-9)
    assert alone == pytest.approx((n - 1) / n)


@given(st.lists(st.floats(0.1, 1e6), min_size=2, max_size=20), st.floats(0.5, 1_000))
def test_gini_does_not_depend_on_the_unit_and_falls_if_the_rich_give_to_the_poor(
    amounts: list[float], factor: float
) -> None:
    before = gini(RankedSums.of(amounts), len(amounts))
    scaled = gini(RankedSums.of(amount * factor for amount in amounts), len(amounts))
    assert before is not None
    assert scaled == pytest.approx(before, abs=1e-9)
    poor, *others, rich = sorted(amounts)
    given_away = (rich - poor) / 4
    after = gini(RankedSums.of([poor + given_away, *others, rich - given_away]), len(amounts))
    assert after is not None
    assert after <= before + 1e-9


def test_gini_of_a_population_that_is_too_small_is_that_of_those_who_have_something() -> None:
    sums = RankedSums.of([1.0, 3.0])
    assert gini(sums, 0) == gini(sums, 2) == pytest.approx(0.25)


@given(NAMED, NAMED)
def test_total_variation_is_the_largest_difference_of_any_set_of_groups(
    one: dict[str, float], other: dict[str, float]
) -> None:
    p, q = shares(one), shares(other)
    names = sorted({*one, *other})
    largest = max(
        abs(sum(p.get(name, 0) - q.get(name, 0) for name in chosen))
        for size in range(len(names) + 1)
        for chosen in combinations(names, size)
    )
    assert total_variation(one, other) == pytest.approx(largest, abs=1e-9)
    assert total_variation(other, one) == pytest.approx(largest, abs=1e-9)
    assert total_variation(one, one) == 0


def test_without_any_exposure_there_is_no_distance() -> None:
    assert total_variation({}, {"a": 1.0}) == total_variation({"a": 0.0}, {"a": 1.0}) == 0
    assert shares({"a": 0.0}) == {"a": 0.0}


def test_coverage_is_a_share_of_what_is_offered() -> None:
    assert catalogue_coverage(3, 12) == 0.25
    assert catalogue_coverage(13, 12) == 1, "a product was delisted between two queries"
    assert catalogue_coverage(0, 0) is None


def test_the_lift_is_relative_to_the_catalogue() -> None:
    assert popularity_lift(15, 10) == 0.5
    assert popularity_lift(5, 10) == -0.5
    assert popularity_lift(5, 0) is None
