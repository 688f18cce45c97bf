"""The blend of several sources: its arithmetic, and that its reasons are true."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.experiments.definition import DEFAULT_STRATEGY
from common.settings import ROOT
from recommenders.compact import CompactModel
from schemas.published_model.weights import BLENDED, DEFAULT_WEIGHTS, DISCOUNT, MAX_DISCOUNT
from serving.recommendations.proposal import (
    Because,
    Proposal,
    blend,
    discounted,
    relative_scores,
    weights_until_supported,
)
from serving.recommendations.recommender import neighbour_proposals
from serving.recommendations.scoring import LEAST_SUPPORT, Neighbours, Seed, fold_in_seeds, history, score
from serving.recommendations.strategies import STRATEGIES

PRODUCTS = st.sampled_from("abcdefgh")
SCORES = st.floats(1e-6, 1e6)
NEIGHBOURS = st.dictionaries(PRODUCTS, st.dictionaries(PRODUCTS, SCORES), max_size=5)
SEEDS = st.lists(st.builds(Seed, PRODUCTS, st.floats(1e-3, 4)), unique_by=lambda seed: seed.product_id)
KINDS = st.sampled_from(["similar", "content"])
PROPOSALS = st.builds(neighbour_proposals, KINDS, SEEDS, NEIGHBOURS, st.just(6), st.just(()))
SOURCES = st.dictionaries(st.sampled_from(["live", "trained", "content"]), PROPOSALS)
WEIGHTS = st.dictionaries(st.sampled_from(["live", "trained", "content"]), st.floats(0, 10))


def of(seeds: dict[str, float], neighbours: dict[str, Neighbours]) -> list[Proposal]:
    weighted = [Seed(product_id, weight) for product_id, weight in seeds.items()]
    return neighbour_proposals("similar", weighted, neighbours, 9, ())


def test_scores_are_relative_to_the_best_of_their_source_and_weighed() -> None:
    live = of({"lamp": 2.0}, {"lamp": {"bulb": 4.0, "shade": 2.0}})
    trained = of({"rug": 0.1}, {"rug": {"shade": 0.2}})

    shade, bulb = blend({"live": live, "trained": trained}, {"live": 1.0, "trained": 3.0}, 9)

    assert (shade.product_id, shade.score) == ("shade", pytest.approx(0.25 * 0.5 + 0.75))
    assert (bulb.product_id, bulb.score) == ("bulb", pytest.approx(0.25))
    assert shade.sources == {"live": 0.5, "trained": 1.0}
    assert bulb.sources == {"live": 1.0}


def test_the_reason_is_what_weighed_most_over_all_sources() -> None:
    """In no single source is the rug first for the mat, but it is in their sum."""
    live = of({"lamp": 1.0, "rug": 1.0}, {"lamp": {"mat": 0.5}, "rug": {"mat": 0.4}})
    trained = of({"vase": 1.0, "rug": 1.0}, {"vase": {"mat": 0.5}, "rug": {"mat": 0.4}})

    [mat] = blend({"live": live, "trained": trained}, {"live": 1.0, "trained": 1.0}, 9)

    assert mat.main_cause() == ("similar", "rug")


def test_a_recommender_without_seeds_can_be_blended_too() -> None:
    newest = [Proposal("mat", 3.0, "category", "rugs")]

    [mat] = blend({"newest": newest}, {"newest": 1.0}, 9)

    assert (mat.score, mat.main_cause()) == (1.0, ("category", "rugs"))


def test_a_source_that_proposes_nothing_changes_nothing() -> None:
    live = of({"lamp": 1.0}, {"lamp": {"bulb": 8.0, "shade": 4.0}})

    alone = blend({"live": live}, {"live": 1.0, "trained": 5.0}, 9)

    assert blend({"live": live, "trained": []}, {"live": 1.0, "trained": 5.0}, 9) == alone
    assert [one.score for one in alone] == [1.0, 0.5]


def test_a_source_without_a_weight_changes_nothing_but_its_scores_are_given() -> None:
    live = of({"lamp": 1.0}, {"lamp": {"bulb": 8.0, "shade": 4.0}})
    trained = of({"rug": 1.0}, {"rug": {"vase": 2.0, "shade": 1.0}})

    bulb, shade = blend({"trained": trained, "live": live}, {"live": 1.0, "trained": 0.0}, 9)

    assert [(one.product_id, one.score) for one in (bulb, shade)] == [("bulb", 1.0), ("shade", 0.5)]
    assert shade.sources == {"trained": 0.5, "live": 0.5}
    assert shade.main_cause() == ("similar", "lamp")


def test_sources_without_a_weight_weigh_the_same_where_no_other_one_proposes_anything() -> None:
    """Such as before the first model, after weights were learned that are all of the model."""
    live = of({"lamp": 1.0}, {"lamp": {"bulb": 8.0, "shade": 4.0}})
    content = of({"rug": 1.0}, {"rug": {"shade": 1.0}})

    found = blend({"live": live, "content": content, "trained": []}, {"trained": 1.0, "live": 0.0}, 9)

    assert [(one.product_id, one.score) for one in found] == [("shade", 0.75), ("bulb", 0.5)]


def test_the_scores_of_products_are_those_of_all_sources() -> None:
    live = of({"lamp": 1.0}, {"lamp": {"bulb": 8.0, "shade": 4.0}})
    trained = of({"rug": 1.0}, {"rug": {"shade": 3.0}})

    found = relative_scores({"live": live, "trained": trained, "content": []})

    assert found == {"bulb": {"live": 1.0}, "shade": {"live": 0.5, "trained": 1.0}}


@given(SOURCES, WEIGHTS, st.integers(0, 9))
def test_a_blend_is_ordered_each_product_once_with_scores_up_to_1(
    proposals_of: dict[str, list[Proposal]], weights: dict[str, float], limit: int
) -> None:
    found = blend(proposals_of, weights, limit)

    weighed = {source for source, weight in weights.items() if weight > 0 and proposals_of.get(source)}
    weighed = weighed or set(proposals_of)
    proposed = {one.product_id for source in weighed for one in proposals_of.get(source, ())}
    assert {one.product_id for one in found} <= proposed
    assert len({one.product_id for one in found}) == len(found) <= limit
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < one.score <= 1 + 1e-9 for one in found)
    for one in found:
        assert set(one.sources) & weighed
        assert set(one.sources) == {
            source
            for source, others in proposals_of.items()
            if one.product_id in {other.product_id for other in others}
        }
        assert all(0 < share <= 1 for share in one.sources.values())
        causes = one.causes()
        assert causes[one.main_cause()] == max(causes.values())
        assert sum(causes.values()) == pytest.approx(one.score)


@given(NEIGHBOURS, SEEDS, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_neither_the_unit_of_a_source_nor_that_of_its_weight_changes_a_score(
    neighbours: dict[str, dict[str, float]], seeds: list[Seed], unit: float, weight: float
) -> None:
    scaled = [Seed(seed.product_id, seed.weight * unit) for seed in seeds]
    found, others = (
        blend({"live": neighbour_proposals("similar", each, neighbours, 99, ())}, {"live": weight}, 99)
        for each in (seeds, scaled)
    )

    assert {one.product_id: one.score for one in others} == pytest.approx(
        {one.product_id: one.score for one in found}
    )


POPULARITY = st.dictionaries(PRODUCTS, st.floats(0, 1e6))
EXPONENTS = st.floats(0, MAX_DISCOUNT)


@given(PROPOSALS, POPULARITY, EXPONENTS)
def test_a_discount_keeps_products_and_causes_and_raises_no_score(
    proposals: list[Proposal], popularity: dict[str, float], exponent: float
) -> None:
    found = discounted(proposals, popularity, exponent, len(proposals))

    before = {one.product_id: one for one in proposals}
    assert {one.product_id for one in found} == set(before)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert one.score <= before[one.product_id].score
        assert one.main_cause() == before[one.product_id].main_cause()
        assert sum(one.causes().values()) == pytest.approx(one.score)


@given(PROPOSALS, POPULARITY, EXPONENTS)
def test_a_discount_never_moves_a_product_behind_a_more_popular_one_that_scored_less(
    proposals: list[Proposal], popularity: dict[str, float], exponent: float
) -> None:
    order = [one.product_id for one in discounted(proposals, popularity, exponent, 9)]

    for better, worse in combinations(proposals, 2):
        is_less_popular = popularity.get(better.product_id, 0) <= popularity.get(worse.product_id, 0)
        if better.score > worse.score * (1 + 1e-9) and is_less_popular:
            assert order.index(better.product_id) < order.index(worse.product_id)


@given(PROPOSALS, POPULARITY)
def test_a_discount_of_0_changes_nothing(proposals: list[Proposal], popularity: dict[str, float]) -> None:
    found = discounted(proposals, popularity, 0.0, len(proposals))

    assert [(one.product_id, one.score) for one in found] == [
        (one.product_id, one.score) for one in proposals
    ]


def test_a_popular_product_falls_behind_a_rare_one_with_half_its_score() -> None:
    """With the exponent ½ and three times as many views, plus one, a score is halved."""
    live = of({"lamp": 1.0}, {"lamp": {"bulb": 1.0, "shade": 0.6}})

    found = discounted(live, {"bulb": 3.0}, 0.5, 9)

    assert [(one.product_id, one.score) for one in found] == [
        ("shade", pytest.approx(0.6)),
        ("bulb", pytest.approx(0.5)),
    ]
    assert discounted(live, {"bulb": 3.0}, 0.5, 1) == found[:1]


def test_what_visits_do_not_support_other_products_replace() -> None:
    weights = {"live": 1.0, "trained": 0.5, DISCOUNT: 0.4}

    def used(support: float) -> dict[str, float]:
        return weights_until_supported(weights, ["live", "trained"], "live", "alike", support)

    assert used(1.0) == {**weights, "alike": 0.0}
    assert used(0.5) == {**weights, "live": 0.5, "alike": 0.75}
    assert used(0.0) == {**weights, "live": LEAST_SUPPORT, "alike": 1.5}


def test_beside_a_product_that_one_has_seen_what_is_like_it_comes_before_what_went_with_it() -> None:
    live = of({"lamp": 1.0}, {"lamp": {"beard oil": 0.3}})
    alike = of({"lamp": 1.0}, {"lamp": {"lantern": 1.2, "beard oil": 0.0}})
    sources = {"live": live, "alike": alike}

    weights = weights_until_supported({"live": 1.0}, ["live"], "live", "alike", 0.0)

    assert [one.product_id for one in blend(sources, weights, 9)] == ["lantern", "beard oil"]


def test_only_the_default_strategy_has_learned_weights() -> None:
    """The other arms, and rows, show their sources as they are, whatever these add to all others."""
    learned = {"home": {"popular_in_category": 0.95, "similar_content": 0.05, DISCOUNT: 0.4}}

    assert {name: strategy.weights(learned, "home") for name, strategy in STRATEGIES.items()} == {
        name: learned["home"] if name == DEFAULT_STRATEGY else DEFAULT_WEIGHTS["home"] for name in STRATEGIES
    }


def test_a_history_is_newest_first_and_begins_with_the_open_page() -> None:
    found = history({"lamp": 10.0, "rug": 30.0}, {"lamp": 40.0}, {"vase": 20.0}, "page")

    assert found == ["page", "lamp", "rug", "vase"]


def test_the_fold_in_is_that_of_the_compact_model() -> None:
    indptr = np.array([0, 2, 4, 5, 5], np.int64)
    neighbours = np.array([2, 3, 2, 0, 3], np.int32)
    scores = np.array([0.5, 0.25, 0.75, 0.5, 1.0], np.float32)
    model = CompactModel(indptr, neighbours, scores, np.ones(4, np.float32), 0.5)
    ranked = model.fold_in(np.array([0, 1], np.int32), 2)

    rows = {"0": {"2": 0.5, "3": 0.25}, "1": {"2": 0.75, "0": 0.5}, "2": {"3": 1.0}}
    found = score(fold_in_seeds(["1", "0"], 0.5), rows, 2, {"0", "1"})

    assert [int(one.product_id) for one in found] == ranked.products[0].tolist()
    assert [one.score for one in found] == pytest.approx(ranked.scores[0].tolist())


@given(st.lists(PRODUCTS, unique=True), st.floats(0.01, 1.0))
def test_older_products_never_weigh_more(newest_first: list[str], decay: float) -> None:
    weights = [seed.weight for seed in fold_in_seeds(newest_first, decay)]

    assert weights == sorted(weights, reverse=True)
    assert all(weight > 0 for weight in weights)


@given(NEIGHBOURS, SEEDS, st.sets(PRODUCTS))
def test_the_parts_of_a_score_add_up_and_name_its_seeds(
    neighbours: dict[str, dict[str, float]], seeds: list[Seed], excluded: set[str]
) -> None:
    for one in neighbour_proposals("content", seeds, neighbours, 5, excluded):
        causes = one.causes()
        assert sum(causes.values()) == pytest.approx(one.score)
        assert set(causes) <= {Because("content", seed.product_id) for seed in seeds}
        assert one.product_id not in excluded


def test_every_blended_source_has_a_weight_on_every_surface() -> None:
    for weights in DEFAULT_WEIGHTS.values():
        assert all(weights[source] > 0 for source in BLENDED)


def test_the_default_strategy_asks_every_source_that_has_a_weight() -> None:
    assert set(STRATEGIES[DEFAULT_STRATEGY].blended) == set(BLENDED)


@pytest.mark.parametrize("query", ["experiment_results", "seller_recommendation_uplift"])
def test_every_strategy_and_no_titled_row_counts_in_comparisons_with_the_hold_out(query: str) -> None:
    text = (ROOT / "clickhouse" / "queries" / f"{query}.sql").read_text(encoding="utf-8")
    names = ", ".join(f"'{name}'" for name in STRATEGIES)

    assert f"AND strategy IN ({names})" in text
