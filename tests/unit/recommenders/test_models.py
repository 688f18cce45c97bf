"""The results of single models, compared with plain or dense computations."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from common.errors import UserError
from recommenders.histories import Histories
from recommenders.interactions import Interactions, from_columns, trend_ratios
from recommenders.models import ridge, transitions
from recommenders.models.als import ALS
from recommenders.models.content import Content
from recommenders.models.graph_filter import GraphFilter
from recommenders.models.item_item import ItemItem
from recommenders.models.popularity import Popularity
from recommenders.models.repeat import Repeat
from recommenders.models.ridge import Ridge
from recommenders.models.session_knn import SessionKNN
from recommenders.models.transitions import Transitions, transition_counts
from tests.unit.recommenders.small_log import with_attributes

ALS_SETTINGS = {"factors": 8, "alpha": 5.0, "iterations": 30}


def test_the_cosine_is_that_of_the_columns(log: Interactions) -> None:
    columns = log.affinity.toarray()
    sizes = np.linalg.norm(columns, axis=0)
    cosine = columns.T @ columns / np.maximum(np.outer(sizes, sizes), 1e-9)
    np.fill_diagonal(cosine, 0.0)

    np.testing.assert_allclose(ItemItem().fit(log).weights.toarray(), cosine, atol=1e-5)


def test_a_ridge_on_all_candidates_is_the_inverse(log: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    dense = Ridge(candidates=40).fit(log).weights.toarray()
    monkeypatch.setattr(ridge, "MAX_DENSE_PRODUCTS", 0)
    local = Ridge(candidates=40).fit(log).weights.toarray()

    # Candidates are products that have a shopper in common; for the others the inverse has small weights.
    common = (log.affinity.T @ log.affinity).toarray() > 0
    strong = common & (dense > np.quantile(dense, 0.9))
    np.testing.assert_allclose(local[strong], dense[strong], rtol=0.35)
    assert np.corrcoef(local[common], dense[common])[0, 1] > 0.98


def test_a_ridge_keeps_the_largest_weights_of_each_column(
    log: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Ridge(kept=1_000).fit(log).weights.toarray()
    monkeypatch.setattr(ridge, "COLUMNS_AT_ONCE", 7)
    kept = Ridge(kept=3).fit(log).weights.toarray()

    # The weights of a row are scaled at the end: what is kept of a column is chosen before that.
    shares = np.asarray(log.affinity.sum(axis=0), np.float64) ** Ridge.degree
    sizes = np.abs(whole) * shares[:, None]
    for column in range(whole.shape[1]):
        places = np.argsort(-sizes[:, column])[:3]
        assert set(np.flatnonzero(kept[:, column])) == set(places[sizes[places, column] > 0])
    assert np.array_equal(kept[kept != 0], whole[kept != 0])


def test_a_ridge_predicts_no_product_from_itself(log: Interactions) -> None:
    assert (Ridge().fit(log).weights.diagonal() == 0.0).all()


def test_the_ideal_term_of_a_full_rank_changes_what_is_missing(log: Interactions) -> None:
    plain = GraphFilter(ideal=0.0).fit(log).scores(log.histories)
    smooth = GraphFilter(ideal=0.5, factors=8).fit(log).scores(log.histories)

    added = smooth - plain
    np.testing.assert_allclose(
        np.sqrt(np.mean(added**2, axis=1)), 0.5 * np.sqrt(np.mean(plain**2, axis=1)), rtol=1e-3
    )


def test_sharpening_takes_away_what_two_steps_give(log: Interactions) -> None:
    first, smoother, sharper = (
        GraphFilter(ideal=0.0, second=second).fit(log).weights.toarray() for second in (0.0, 0.3, -0.3)
    )

    assert (smoother >= first - 1e-6).all()
    assert (sharper <= first + 1e-6).all()


def test_the_second_step_is_taken_by_shares(log: Interactions) -> None:
    first = GraphFilter(trend=0.0).fit(log).weights.toarray()
    smoother = GraphFilter(trend=0.0, second=0.3).fit(log).weights.toarray()

    shares = first / np.maximum(first.sum(axis=1, keepdims=True), 1e-9)
    np.testing.assert_allclose(smoother, first + 0.3 * (first @ shares), rtol=1e-4, atol=1e-6)


@pytest.fixture
def implicit_als(log: Interactions) -> AlternatingLeastSquares:
    with threadpool_limits(1, "blas"):
        peer = AlternatingLeastSquares(**ALS_SETTINGS, regularization=0.5, num_threads=1, random_state=0)
        peer.fit(csr_matrix(log.affinity), show_progress=False)
    return peer


def test_als_lists_what_implicit_lists(log: Interactions, implicit_als: AlternatingLeastSquares) -> None:
    model = ALS(**ALS_SETTINGS, regularisation=0.5).fit(log)
    ranked = model.recommend(log.histories, 5, excluded=log.histories)

    with threadpool_limits(1, "blas"):
        products, scores = implicit_als.recommend(
            np.arange(len(log.histories)), csr_matrix(log.affinity), N=5, recalculate_user=True
        )
    np.testing.assert_array_equal(ranked.products, products)
    np.testing.assert_allclose(ranked.scores, scores, rtol=1e-5)


def test_a_shopper_folded_in_scores_as_the_factors_that_training_found(
    log: Interactions, implicit_als: AlternatingLeastSquares
) -> None:
    scores = ALS(**ALS_SETTINGS, regularisation=0.5).fit(log).scores(log.histories)

    np.testing.assert_allclose(scores, implicit_als.user_factors @ implicit_als.item_factors.T, atol=0.02)


def test_als_minimises_its_formula(log: Interactions) -> None:
    def loss(iterations: int) -> float:
        model = ALS(factors=8, regularisation=0.5, alpha=5.0, iterations=iterations).fit(log)
        products, confidences = model.arrays["factors"].astype(np.float64), 5.0 * log.affinity.toarray()
        weights = np.where(confidences > 0, confidences, 1.0)
        shoppers = np.array(
            [
                np.linalg.solve((products.T * weight) @ products + 0.5 * np.eye(8), confidence @ products)
                for weight, confidence in zip(weights, confidences, strict=True)
            ]
        )
        scores = shoppers @ products.T
        np.testing.assert_allclose(model.scores(log.histories), scores, atol=1e-4)
        penalty = 0.5 * ((shoppers**2).sum() + (products**2).sum())
        return float((weights * ((confidences > 0) - scores) ** 2).sum() + penalty)

    assert loss(1) > loss(4) > loss(15)


def test_als_scores_nothing_for_an_empty_history_among_others(log: Interactions) -> None:
    scores = ALS().fit(log).scores(Histories.of([[], [1, 3], []]))

    assert not scores[[0, 2]].any()
    assert scores[1].any()


def test_without_its_library_als_is_refused_in_a_line(
    log: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "implicit.als", None)

    with pytest.raises(UserError, match=r"als can't load the package implicit .* apt install libgomp1"):
        ALS().fit(log)


def test_transitions_count_what_followed_within_the_window() -> None:
    counts = transition_counts(Histories.of([[0, 1, 2], [0, 2, 2]]), 3, 2, 1.0).toarray()

    assert counts.tolist() == [[0.0, 1.0, 2.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]


def test_transitions_past_what_fits_are_the_most_frequent_of_each_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visits = Histories.of([[0, 1, 2], [0, 1, 3], [0, 1, 2], [3, 4]])
    assert transition_counts(visits, 5, 4, 1.0).nnz == 6

    monkeypatch.setattr(transitions, "MAX_TRANSITIONS", 5)
    counts = transition_counts(visits, 5, 4, 1.0)
    assert (counts.nnz, counts[0, 1], counts[1, 2], counts[3, 4]) == (3, 3.0, 2.0, 1.0)


def test_what_came_next_is_next_and_two_steps_are_reached_by_two() -> None:
    log = from_columns([1, 1, 2, 2], ["a", "b", "b", "c"], ordered=True)

    one = Transitions(window=1, backward=0.0, second=0.0).fit(log).weights.toarray()
    two = Transitions(window=1, backward=0.0, second=1.0).fit(log).weights.toarray()
    assert (one[0, 1] > 0, one[0, 2]) == (True, 0.0)
    assert two[0, 2] > 0


def test_a_visit_is_met_by_the_visits_that_were_like_it() -> None:
    log = from_columns([1, 1, 1, 2, 2, 3, 3, 3], list("abcadbca"), ordered=True)
    a, b, c, d = range(4)

    scores = SessionKNN(rarity=0.0).fit(log).scores(Histories.of([[a, b]]))[0]
    assert scores[c] > scores[d] > 0.0


def test_newer_visits_count_more() -> None:
    log = from_columns([1, 1, 2, 2], list("abac"), ordered=True)

    scores = SessionKNN(recency=0.2).fit(log).scores(Histories.of([[0]]))[0]
    assert scores[2] > scores[1] > 0.0


@pytest.mark.parametrize("nearest", [7, 500])
def test_the_nearest_visits_say_what_the_formula_says(nearest: int) -> None:
    rng = np.random.default_rng(5)
    visits = [rng.permutation(15)[: 2 + visit % 4] for visit in range(60)]
    names = np.repeat(np.arange(60), [len(visit) for visit in visits])
    log = from_columns(names, np.concatenate(visits), sessions=names, catalogue=range(15))
    model = SessionKNN(decay=0.6, fade=0.8, rarity=0.5, length=0.4, recency=0.3, nearest=nearest).fit(log)
    history = [3, 9, 4]

    idf = np.log(61 / np.bincount(np.concatenate(visits), minlength=15))
    ages = {product: age for age, product in enumerate(reversed(history))}
    votes = []
    for number, visit in enumerate(visits):
        held = [product for product in visit.tolist() if product in ages]
        sim = sum(0.6 ** ages[product] * idf[product] ** 0.5 for product in held) / len(visit) ** 0.4
        votes.append((sim * 2.0 ** (-(59 - number) / (0.3 * 60)), visit.tolist(), held))
    expected = np.zeros(15)
    for sim, visit, held in sorted(votes, key=lambda vote: -vote[0])[:nearest]:
        for place, product in enumerate(visit if held else []):
            distance = abs(place - visit.index(min(held, key=ages.__getitem__)))
            expected[product] += sim * 0.8 ** (distance - 1) * idf[product] ** 0.5 if distance else 0.0

    np.testing.assert_allclose(model.scores(Histories.of([history]))[0], expected, rtol=1e-5, atol=1e-6)


def test_a_sparse_matrix_of_products_is_added_up_over_a_history(log: Interactions) -> None:
    model = ItemItem(decay=0.7).fit(log)
    histories = Histories.of([[3, 5, 3, 20], [], [7]])

    dense = model.weights.toarray()
    expected = [dense[20] + 0.7 * dense[3] + 0.7**2 * dense[5] + 0.7**3 * dense[3], 0 * dense[0], dense[7]]
    np.testing.assert_allclose(model.scores(histories), expected, rtol=1e-5, atol=1e-7)


def test_what_is_taken_again_and_again_comes_again() -> None:
    log = from_columns([1] * 5 + [2] * 5, ["milk", "milk", "milk", "sofa", "milk"] * 2, ordered=True)

    scores = Repeat(prior=1.0).fit(log).scores(Histories.of([[0, 1]]))[0]
    assert scores[0] > scores[1] > 0.0


def test_what_is_popular_now_and_in_the_own_category_comes_first() -> None:
    times = np.array([0, 0, 0, 100, 100]) * 86_400
    log = replace(
        from_columns([1, 2, 3, 4, 5], ["old", "old", "old", "new", "new"], times=times),
        categories=np.array([0, 1], np.int32),
    )

    assert Popularity(half_life=1e9).fit(log).recommend(Histories.of([[]]), 1).products.tolist() == [[0]]
    assert Popularity(window=0.1).fit(log).recommend(Histories.of([[]]), 1).products.tolist() == [[1]]
    assert Popularity(own=10.0).fit(log).recommend(Histories.of([[1]]), 1).products.tolist() == [[1]]


def test_the_trend_is_what_was_taken_lately_of_what_was_to_be_expected() -> None:
    products = [0] * 50 + [1] * 40 + [2] * 10
    log = from_columns([1] * 100, products, times=np.arange(100), catalogue=[0, 1, 2, 3])

    expected = [10 / 15, 10 / 14, 20 / 11, 1.0]
    np.testing.assert_allclose(trend_ratios(log), expected, rtol=1e-6)
    assert trend_ratios(replace(log, times=None)).tolist() == [1.0] * 4


def test_of_what_goes_as_well_with_a_history_the_trend_prefers_what_is_taken_now() -> None:
    pairs = [(shopper, product) for shopper in range(60) for product in (0, 1 if shopper < 30 else 2)]
    shoppers, products = zip(*pairs, strict=True)
    log = from_columns(list(shoppers), list(products), times=np.arange(120))
    asked = Histories.of([[0]])

    for model in (ItemItem, GraphFilter):
        before, now = (model(trend=trend).fit(log).scores(asked)[0] for trend in (0.0, 1.0))
        assert before[1] == pytest.approx(before[2])
        assert now[2] > now[1]


def test_a_product_that_nobody_touched_is_found_by_its_attributes(log: Interactions) -> None:
    model = Content().fit(log)

    scores = model.scores(Histories.of([[0, 2, 4], [1, 3, 5]]))
    assert scores[0, 38] > scores[0, 39]
    assert scores[1, 39] > scores[1, 38]


def test_without_attributes_content_says_what_it_needs() -> None:
    log = with_attributes(from_columns([1], [1]))
    assert log.attributes is not None

    for attributes in (None, log.attributes * 0):
        with pytest.raises(UserError, match="needs the products' attributes"):
            Content().fit(replace(log, attributes=attributes))


def test_products_without_any_attribute_are_no_trouble() -> None:
    log = from_columns([1, 1, 2], [1, 2, 3])
    bare = replace(log, attributes=csr_array(np.array([[1.0], [0.0], [0.0]], np.float32)))

    assert (Content().fit(bare).recommend(bare.histories, 3).products >= 0).all()
