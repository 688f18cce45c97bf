"""The weights of seeds, and the order of their neighbours."""

from math import isfinite, sqrt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.recommendations.recommender import neighbour_proposals
from serving.recommendations.scoring import (
    ANCHOR_WEIGHT,
    COVISIT_HALF_LIFE_S,
    HALF_LIFE_S,
    LEAST_SUPPORT,
    MAX_SEEDS,
    SUPPORTED_LIST,
    CoVisits,
    Seed,
    cosines,
    covisit_unit,
    favourite_categories,
    list_support,
    score,
    seeds,
    supported_seeds,
    unsupported_seeds,
    visits_together,
)

NOW = 1_800_000_000.0
PRODUCTS = st.sampled_from("abcdefgh")
MOMENTS = st.dictionaries(PRODUCTS, st.floats(NOW - 86_400, NOW))


def test_what_was_looked_at_last_says_most_and_an_hour_earlier_a_quarter() -> None:
    lamp, rug = seeds({"rug": NOW - 2 * HALF_LIFE_S, "lamp": NOW}, {})

    assert (lamp.product_id, lamp.weight) == ("lamp", 1.0)
    assert (rug.product_id, rug.weight) == ("rug", pytest.approx(0.25))


def test_what_is_in_the_cart_says_more_and_the_open_page_most() -> None:
    viewed = {"lamp": NOW, "rug": NOW, "vase": NOW}

    assert [seed.product_id for seed in seeds(viewed, {"rug": NOW}, "vase")] == ["vase", "rug", "lamp"]
    assert seeds({}, {}, "vase") == [Seed("vase", ANCHOR_WEIGHT)]


def test_who_comes_back_after_a_month_is_met_where_they_left() -> None:
    assert seeds({"lamp": NOW}, {}) == seeds({"lamp": NOW - 30 * 86_400}, {})


@given(viewed=MOMENTS, carted=MOMENTS)
def test_seeds_are_few_ordered_and_each_once(viewed: dict[str, float], carted: dict[str, float]) -> None:
    found = seeds(viewed, carted)

    assert len(found) == min(len(viewed | carted), MAX_SEEDS)
    assert len({seed.product_id for seed in found}) == len(found)
    assert [seed.weight for seed in found] == sorted((seed.weight for seed in found), reverse=True)


def test_what_everyone_looks_at_is_less_similar_than_what_few_do() -> None:
    found = dict(cosines([("hit", 10.0), ("shade", 8.0)], 20.0, {"hit": 1_000.0, "shade": 9.0}))

    assert found == {
        "shade": pytest.approx(8 / sqrt(20 * 9)),
        "hit": pytest.approx(10 / sqrt(20 * 1_000)),
    }


def test_without_interest_a_product_is_taken_at_its_co_visits_alone() -> None:
    assert cosines([("shade", 4.0), ("gone", 0.0)], 0.0, {}) == {"shade": 1.0}
    assert cosines([("shade", 4.0)], 16.0, {}) == {"shade": 0.5}


def test_a_pair_that_was_seen_once_is_less_similar_than_one_that_was_seen_often() -> None:
    """Both have the cosine 1; with the support 2, one visit counts a third and eight visits four fifths."""
    theirs = {"once": 1.0, "often": 8.0}
    once = cosines([("once", 1.0)], 1.0, theirs, support=2.0)
    often = cosines([("often", 8.0)], 8.0, theirs, support=2.0)

    assert (once, often) == ({"once": pytest.approx(1 / 3)}, {"often": pytest.approx(0.8)})


@given(st.floats(1_400_000_000, 1_900_000_000), st.floats(0, 50 * 86_400))
def test_what_happened_earlier_has_less_support(at_s: float, later_s: float) -> None:
    """A visit of two half-lives ago counts a quarter of one of now."""
    earlier, now = covisit_unit(at_s), covisit_unit(at_s + later_s)

    assert now / earlier == pytest.approx(2.0 ** (later_s / COVISIT_HALF_LIFE_S))


@pytest.mark.parametrize("at_s", [-1e18, 0.0, 4e9, 1e18])
def test_no_time_makes_the_unit_of_a_co_visit_zero_or_infinite(at_s: float) -> None:
    assert 0 < covisit_unit(at_s) < float("inf")


def test_the_best_come_first_and_no_more_than_asked() -> None:
    neighbours = {"lamp": {"hit": 0.1, "shade": 0.6, "bulb": 0.4}}

    assert [one.product_id for one in score([Seed("lamp", 1.0)], neighbours, 2)] == ["shade", "bulb"]


def test_seeds_add_up_and_the_strongest_is_the_reason() -> None:
    neighbours = {"lamp": {"shade": 1.0}, "rug": {"shade": 1.0}}

    [shade] = neighbour_proposals("similar", [Seed("rug", 1.0), Seed("lamp", 2.0)], neighbours, 9, ())
    assert (shade.score, shade.main_cause()) == (pytest.approx(3.0), ("similar", "lamp"))


def test_what_is_excluded_is_not_scored() -> None:
    assert score([Seed("lamp", 1.0)], {"lamp": {"shade": 1.0}}, 9, {"shade"}) == []


COUNTS = st.floats(1e-3, 1e90)


@given(
    st.lists(st.tuples(PRODUCTS, COUNTS), unique_by=lambda each: each[0]),
    COUNTS,
    st.dictionaries(PRODUCTS, COUNTS),
    st.floats(1e-6, 1e-3),
)
def test_cosines_are_at_most_1_and_no_unit_of_time_changes_them(
    together: list[tuple[str, float]], own: float, theirs: dict[str, float], unit: float
) -> None:
    """At a later time, every decayed sum is smaller by the same factor."""
    found = dict(cosines(together, own, theirs))
    later = cosines(
        [(product, sum_ * unit) for product, sum_ in together],
        own * unit,
        {product: value * unit for product, value in theirs.items()},
    )

    assert found.keys() == dict(together).keys()
    assert all(0 < cosine <= 1 + 1e-9 for cosine in found.values())
    assert dict(later) == pytest.approx(found)


SUMS = st.floats(0.0, allow_nan=False, allow_infinity=False)
ANY_MOMENTS = st.dictionaries(PRODUCTS, st.floats(-1e11, 1e11), max_size=4)


@given(
    viewed=ANY_MOMENTS,
    carted=ANY_MOMENTS,
    neighbours=st.dictionaries(PRODUCTS, st.lists(st.tuples(PRODUCTS, SUMS), max_size=6)),
    interest=st.dictionaries(PRODUCTS, SUMS),
)
@example(viewed={"a": 0.0, "b": NOW}, carted={}, neighbours={"a": [("c", 1.0)]}, interest={})
@example(viewed={"a": NOW}, carted={}, neighbours={"a": [("c", 0.0)]}, interest={})
def test_whatever_the_moments_and_sums_scores_are_positive_and_finite(
    viewed: dict[str, float],
    carted: dict[str, float],
    neighbours: dict[str, list[tuple[str, float]]],
    interest: dict[str, float],
) -> None:
    """Weights that decayed to zero (an event of 1970, very old seeds) are omitted."""
    asked = seeds(viewed, carted)
    known = {
        product: cosines(together, interest.get(product, 0.0), interest)
        for product, together in neighbours.items()
    }
    scored = neighbour_proposals("similar", asked, known, 99, ())

    assert all(isfinite(one.score) and one.score > 0 for one in scored)
    assert {one.main_cause().of for one in scored} <= {seed.product_id for seed in asked}


def test_the_favourite_category_is_the_one_that_the_seeds_say_most_for() -> None:
    weighed = [Seed("lamp", 1.0), Seed("rug", 0.6), Seed("mat", 0.6), Seed("unknown", 9.0)]
    category_of = {"lamp": "light", "rug": "floor", "mat": "floor", "unknown": None}

    favourites = favourite_categories(weighed, category_of, 2)

    assert list(favourites.items()) == [("floor", 1.0), ("light", pytest.approx(1 / 1.2))]
    assert list(favourite_categories(weighed, category_of, 1)) == ["floor"]
    assert favourite_categories([], category_of, 2) == {}


def test_a_purchase_of_two_products_is_one_visit_that_had_both() -> None:
    """It adds 9 to the co-visits and to the interest, a view of both adds 1."""
    assert visits_together(9.0, 9.0, 1) == 1.0
    assert visits_together(2.0, 8.0, 8) == 2.0
    assert visits_together(2.0, 1.0, 1) == 1.0, "the other product was put into the cart"
    assert visits_together(1.0, 0.0, 0) == 0.0


def neighbours_seen(visits: float, count: int = SUPPORTED_LIST) -> float:
    """The support of a list of so many neighbours, each seen by so many visits together with the product."""
    names = [f"p{number}" for number in range(count)]
    return list_support(dict.fromkeys(names, 0.5), dict.fromkeys(names, visits))


def test_one_visit_says_nothing_two_little_and_many_almost_all() -> None:
    assert neighbours_seen(1) == neighbours_seen(0.3) == 0.0
    assert neighbours_seen(2) == pytest.approx(0.25)
    assert neighbours_seen(3) == pytest.approx(0.5)
    assert 0.93 < neighbours_seen(10) < 0.95
    assert neighbours_seen(1e6) == pytest.approx(1.0)


def test_the_best_neighbours_decide_by_their_cosines() -> None:
    assert list_support({}, {}) == 0.0
    assert neighbours_seen(1e6, count=1) == pytest.approx(1.0)
    best = {f"best{number}": 0.9 for number in range(SUPPORTED_LIST)}
    many = best | {f"rest{number}": 0.1 for number in range(20)}
    visits = {product: 1e6 if product in best else 1.0 for product in many}
    assert list_support(many, visits) == pytest.approx(1.0)
    assert list_support({"known": 0.3, "chance": 0.1}, {"known": 1e6, "chance": 1}) == pytest.approx(0.75)


@given(st.lists(st.floats(0, 1e6), max_size=20), st.floats(1, 10))
def test_more_visits_never_support_a_list_less(visits: list[float], factor: float) -> None:
    cosine = {str(number): 1.0 for number in range(len(visits))}
    before, after = (
        list_support(cosine, {str(number): n * times for number, n in enumerate(visits)})
        for times in (1.0, factor)
    )

    assert 0.0 <= before <= after + 1e-12 <= 1.0 + 1e-9


def co_visits(**support: float) -> dict[str, CoVisits]:
    return {product: CoVisits({}, each) for product, each in support.items()}


def test_a_seed_counts_in_full_once_half_of_its_neighbours_are_supported() -> None:
    found = supported_seeds(
        [Seed("known", 4.0), Seed("half", 2.0), Seed("quarter", 2.0), Seed("new", 2.0)],
        co_visits(known=0.9, half=0.5, quarter=0.25, new=0.0),
    )

    assert [seed.weight for seed in found] == [4.0, 2.0, 1.0, 2.0 * LEAST_SUPPORT]


def test_what_visits_leave_open_is_compared_the_heaviest_first() -> None:
    asked = [Seed("known", 4.0), Seed("half", 2.0), Seed("b", 1.0), Seed("a", 1.0), Seed("c", 1.0)]
    supports = co_visits(known=1.0, half=0.25, a=0.0, b=0.0, c=0.9)

    assert unsupported_seeds(asked, supports, 3) == [Seed("half", 1.5), Seed("a", 1.0), Seed("b", 1.0)]
    assert unsupported_seeds([], {}, 3) == []
