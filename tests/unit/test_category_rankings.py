"""The most popular products of a visitor's categories as a source of recommendations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.recommendations.proposal import blend
from serving.recommendations.recommender import popular_in, relative

RANKINGS = st.dictionaries(
    st.sampled_from(["light", "floor", "home"]),
    st.dictionaries(st.sampled_from("abcdef"), st.floats(1e-3, 1.0)).map(
        lambda scores: sorted(scores.items(), key=lambda each: -each[1])
    ),
    min_size=1,
)


def test_scores_are_relative_to_the_first_of_a_ranking() -> None:
    assert relative([("lamp", 8.0), ("bulb", 2.0)]) == [("lamp", 1.0), ("bulb", 0.25)]
    assert relative([]) == []


def test_the_weight_of_a_category_counts_and_a_product_of_two_counts_once() -> None:
    rankings = {"light": [("lamp", 1.0), ("sofa", 0.5)], "home": [("sofa", 1.0), ("rug", 0.5)]}

    found = popular_in({"light": 1.0, "home": 0.6}, rankings, {"rug"}, 9)

    assert [(one.product_id, one.score, one.because_of) for one in found] == [
        ("lamp", 1.0, "light"), ("sofa", 0.6, "home"),
    ]  # fmt: skip
    assert [one.product_id for one in popular_in({"home": 1.0}, rankings, {"sofa"}, 1)] == ["rug"]


@given(RANKINGS, st.floats(0.01, 1.0))
def test_blended_scores_are_at_most_1_and_those_of_their_causes(
    rankings: dict[str, list[tuple[str, float]]], weight: float
) -> None:
    favourites = {category: weight**rank for rank, category in enumerate(rankings)}

    proposals = popular_in(favourites, rankings, (), 9)
    found = blend({"popular_in_category": proposals}, {"popular_in_category": 1.0}, 99)

    assert {one.product_id for one in found} == {product for each in rankings.values() for product, _ in each}
    for one in found:
        assert 0.0 < one.score <= 1.0 + 1e-9
        assert one.score == pytest.approx(one.sources["popular_in_category"])
        assert one.score == pytest.approx(sum(one.causes().values()))
