"""The blend of several sources: its arithmetic, and that its reasons are true."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.recommendations.blend import blend
from serving.recommendations.proposal import Because, Proposal
from serving.recommendations.scoring import Seed, fold_in_seeds, history, score
from serving.recommendations.strategies import DEFAULT_STRATEGY, DEFAULT_WEIGHTS, STRATEGIES

LAMP, RUG = Because("similar", "lamp"), Because("similar", "rug")
PRODUCTS = st.sampled_from("abcdefgh")
SCORES = st.floats(1e-6, 1e6)
CAUSES = st.dictionaries(st.sampled_from([LAMP, RUG, Because("content", "lamp")]), SCORES, min_size=1)


def proposal(product_id: str, parts: Mapping[Because, float]) -> Proposal:
    return Proposal.of(product_id, sum(parts.values()), parts)


PROPOSALS = st.dictionaries(PRODUCTS, CAUSES, max_size=6).map(
    lambda of: [proposal(product_id, parts) for product_id, parts in of.items()]
)
SOURCES = st.dictionaries(st.sampled_from(["live", "trained", "content"]), PROPOSALS)
WEIGHTS = st.dictionaries(st.sampled_from(["live", "trained", "content"]), st.floats(0, 10))


def test_scores_are_relative_to_the_best_of_their_source_and_weighed() -> None:
    live = [proposal("bulb", {LAMP: 8.0}), proposal("shade", {LAMP: 4.0})]
    trained = [proposal("shade", {RUG: 0.02})]

    shade, bulb = blend({"live": live, "trained": trained}, {"live": 1.0, "trained": 3.0})

    assert (shade.product_id, shade.score) == ("shade", pytest.approx(0.25 * 0.5 + 0.75))
    assert (bulb.product_id, bulb.score) == ("bulb", pytest.approx(0.25))
    assert shade.sources == {"live": 0.5, "trained": 1.0}
    assert bulb.sources == {"live": 1.0}


def test_the_reason_is_what_weighed_most_over_all_sources() -> None:
    """In no single source is the rug first for the mat, but it is in their sum."""
    vase = Because("similar", "vase")
    live = [proposal("mat", {LAMP: 0.5, RUG: 0.4})]
    trained = [proposal("mat", {vase: 0.5, RUG: 0.4})]

    [mat] = blend({"live": live, "trained": trained}, {"live": 1.0, "trained": 1.0})

    assert (mat.kind, mat.because_of) == ("similar", "rug")


def test_a_source_that_proposes_nothing_changes_nothing() -> None:
    live = [proposal("bulb", {LAMP: 8.0}), proposal("shade", {LAMP: 4.0})]

    alone = blend({"live": live}, {"live": 1.0, "trained": 5.0})

    assert blend({"live": live, "trained": []}, {"live": 1.0, "trained": 5.0}) == alone
    assert [one.score for one in alone] == [1.0, 0.5]


@given(SOURCES, WEIGHTS)
def test_a_blend_is_ordered_each_product_once_with_scores_up_to_1(
    proposals_of: dict[str, list[Proposal]], weights: dict[str, float]
) -> None:
    found = blend(proposals_of, weights)

    weighed = {source for source, weight in weights.items() if weight > 0}
    proposed = {one.product_id for source in weighed for one in proposals_of.get(source, ())}
    assert {one.product_id for one in found} <= proposed
    assert len({one.product_id for one in found}) == len(found)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < one.score <= 1 + 1e-9 for one in found)
    for one in found:
        assert set(one.sources) <= weighed
        assert all(0 < share <= 1 for share in one.sources.values())
        causes = one.causes()
        assert causes[Because(one.kind, one.because_of)] == max(causes.values())
        assert sum(causes.values()) == pytest.approx(one.score)


@given(PROPOSALS, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_neither_the_unit_of_a_source_nor_that_of_the_weights_changes_the_order(
    proposals: list[Proposal], unit: float, weight: float
) -> None:
    scaled = [
        proposal(one.product_id, {cause: part * unit for cause, part in one.causes().items()})
        for one in proposals
    ]
    found, others = (blend({"live": each}, {"live": weight}) for each in (proposals, scaled))

    assert {one.product_id: one.score for one in others} == pytest.approx(
        {one.product_id: one.score for one in found}
    )


def test_a_history_is_newest_first_and_begins_with_the_open_page() -> None:
    found = history({"lamp": 10.0, "rug": 30.0}, {"lamp": 40.0}, {"vase": 20.0}, "page")

    assert found == ["page", "lamp", "rug", "vase"]


def test_the_fold_in_is_that_of_the_compact_model() -> None:
    """The sum is compared with that of `CompactModel.fold_in`, with the same neighbours."""
    np = pytest.importorskip("numpy")
    from jobs.recommenders.compact import CompactModel

    indptr = np.array([0, 2, 4, 5, 5], np.int64)
    neighbours = np.array([2, 3, 2, 0, 3], np.int32)
    scores = np.array([0.5, 0.25, 0.75, 0.5, 1.0], np.float32)
    model = CompactModel(indptr, neighbours, scores, np.ones(4, np.float32), 0.5)
    ranked = model.fold_in(np.array([0, 1], np.int32), 2)

    rows = {
        str(product): [
            (str(code), float(value))
            for code, value in zip(
                neighbours[indptr[product] : indptr[product + 1]],
                scores[indptr[product] : indptr[product + 1]],
                strict=True,
            )
        ]
        for product in range(4)
    }
    found = score(fold_in_seeds(["1", "0"], 0.5), rows, 2, {"0", "1"})

    assert [int(one.product_id) for one in found] == ranked.products[0].tolist()
    assert [one.score for one in found] == pytest.approx(ranked.scores[0].tolist())


@given(st.lists(PRODUCTS, unique=True), st.floats(0.01, 1.0))
def test_older_products_never_weigh_more(newest_first: list[str], decay: float) -> None:
    weights = [seed.weight for seed in fold_in_seeds(newest_first, decay)]

    assert weights == sorted(weights, reverse=True)
    assert all(weight > 0 for weight in weights)


@given(
    st.dictionaries(
        PRODUCTS, st.lists(st.tuples(PRODUCTS, SCORES), unique_by=lambda each: each[0]), max_size=5
    ),
    st.lists(st.builds(Seed, PRODUCTS, st.floats(1e-3, 4)), unique_by=lambda seed: seed.product_id),
)
def test_the_parts_of_a_score_add_up_and_name_its_seeds(
    neighbours: dict[str, list[tuple[str, float]]], seeds: list[Seed]
) -> None:
    for one in score(seeds, neighbours, 5):
        assert sum(one.parts.values()) == pytest.approx(one.score)
        assert set(one.parts) <= {seed.product_id for seed in seeds}
        assert one.parts[one.because_of] == max(one.parts.values())


def test_every_blended_source_has_a_weight_on_every_surface() -> None:
    for weights in DEFAULT_WEIGHTS.values():
        assert all(weights[source] > 0 for source in STRATEGIES[DEFAULT_STRATEGY].blended)
