"""Properties of every model."""

import pkgutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from common.errors import UserError
from recommenders import models
from recommenders.base import Model
from recommenders.histories import Histories
from recommenders.interactions import Interactions, from_columns
from recommenders.registry import MODELS, load
from tests.unit.recommenders.small_log import with_attributes

TASTELESS = ("popularity", "repeat")
"""Models without similarities of products."""


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest, log: Interactions) -> Model:
    return MODELS[request.param]().fit(log)


@pytest.fixture(params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_model_of_the_room_is_registered() -> None:
    found = {
        each
        for info in pkgutil.iter_modules(models.__path__)
        for each in vars(import_module(f"{models.__name__}.{info.name}")).values()
        if isinstance(each, type) and issubclass(each, Model) and hasattr(each, "NAME")
    }

    assert found == set(MODELS.values())


def test_its_settings_space_names_settings_that_it_has(name: str) -> None:
    space = MODELS[name].SPACE

    for setting, values in space.items():
        assert [MODELS[name](**{setting: value}).settings[setting] for value in values] == list(values)


def test_lists_are_ranked_distinct_and_of_the_catalogue(model: Model, log: Interactions) -> None:
    ranked = model.recommend(log.histories, 10)

    assert ranked.products.shape == ranked.scores.shape == (len(log.histories), 10)
    assert (ranked.products.dtype, ranked.scores.dtype) == (np.int32, np.float32)
    assert (np.diff(ranked.scores, axis=1) <= 0).all()
    assert all(len(set(row)) == 10 for row in ranked.products.tolist())
    assert ranked.products.min() >= 0
    assert ranked.products.max() < log.product_count
    assert not np.isnan(ranked.scores).any()


def test_what_is_excluded_is_not_listed(model: Model, log: Interactions) -> None:
    ranked = model.recommend(log.histories, 20, excluded=log.histories)

    for row, history in zip(ranked.products, log.histories, strict=True):
        assert not set(row) & set(history)


def test_a_list_longer_than_the_catalogue_ends_with_nothing(model: Model, log: Interactions) -> None:
    ranked = model.recommend(log.histories[:3], log.product_count + 7)

    assert (np.sort(ranked.products[:, : log.product_count]) == np.arange(log.product_count)).all()
    assert (ranked.products[:, log.product_count :] == -1).all()
    assert (ranked.scores[:, log.product_count :] == -np.inf).all()


def test_a_product_that_the_model_never_saw_is_refused_in_a_line(model: Model, log: Interactions) -> None:
    strange = Histories.of([[1], [3, log.product_count]])

    for histories, excluded in ((strange, None), (log.histories[:2], strange)):
        with pytest.raises(UserError, match="not among the 40 products of the training"):
            model.recommend(histories, 5, excluded=excluded)
    with pytest.raises(UserError, match="not among the 40"):
        model.similar(np.array([log.product_count], np.int32), 5)


def test_no_list_is_asked_for_nothing(model: Model, log: Interactions) -> None:
    assert model.recommend(log.histories[:0], 5).products.shape == (0, 5)
    assert model.recommend(log.histories[:2], 0).products.shape == (2, 0)


def test_blocks_change_nothing(model: Model, log: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    together = model.recommend(log.histories, 8, excluded=log.histories)
    monkeypatch.setattr("recommenders.base.MAX_SCORES", 7 * log.product_count)
    apart = model.recommend(log.histories, 8, excluded=log.histories)

    np.testing.assert_allclose(together.scores, apart.scores, rtol=1e-4, atol=1e-6)
    assert (together.products == apart.products).mean() > 0.95


def test_taste_is_learned(model: Model) -> None:
    if model.NAME in TASTELESS:
        pytest.skip("says nothing of taste")
    ranked = model.recommend(Histories.of([[1, 5, 9], [0, 6, 8]]), 5)

    assert (ranked.products[0] % 2 == 1).all()
    assert (ranked.products[1] % 2 == 0).all()


def test_similar_products_are_others_of_the_same_taste(model: Model) -> None:
    found = model.similar(np.array([3, 4], np.int32), 6)

    assert 3 not in found.products[0]
    assert 4 not in found.products[1]
    if model.NAME not in TASTELESS:
        assert (found.products[0] % 2 == 1).all()
        assert (found.products[1] % 2 == 0).all()


def test_one_who_was_not_there_in_training_is_folded_in(model: Model) -> None:
    folded = model.fold_in(np.array([1, 5, 9], np.int32), 6)

    assert folded.products.shape == (1, 6)
    assert len(set(folded.products[0].tolist()) - {1, 5, 9}) == 6
    if model.NAME not in TASTELESS:
        assert (folded.products[0] % 2 == 1).all()


def test_folding_in_twice_gives_the_same_and_repeats_are_for_who_asks(
    model: Model, log: Interactions
) -> None:
    history = np.array([1, 5, 9, 5], np.int32)

    first, second = model.fold_in(history, 6), model.fold_in(history, 6)
    np.testing.assert_array_equal(first.products, second.products)
    everything = model.fold_in(history, log.product_count, repeats=True)
    assert set(everything.products[0].tolist()) == set(range(log.product_count))


def test_whoever_did_nothing_yet_gets_what_is_popular_first(model: Model, log: Interactions) -> None:
    nobody = Histories.of([[]])

    listed = model.recommend(nobody, log.product_count).products[0]
    by_popularity = np.lexsort((np.arange(log.product_count), -log.popularity))
    if model.NAME != "popularity":  # `popularity` weights events by recency, too
        assert listed.tolist() == by_popularity.tolist()
    assert log.popularity[listed[:10]].mean() > log.popularity.mean()
    assert model.fold_in(np.empty(0, np.int32), 9).products[0].tolist() == by_popularity[:9].tolist()


def test_a_history_of_a_hundred_thousand_events_is_answered(model: Model) -> None:
    long = np.tile(np.arange(1, 39, 2, dtype=np.int32), 5_300)

    assert (model.recommend(Histories.of([long]), 5).products >= 0).all()
    assert (model.fold_in(long, 5).products >= 0).all()


def test_the_same_log_makes_the_same_model(name: str, log: Interactions) -> None:
    first, second = MODELS[name]().fit(log), MODELS[name]().fit(log)

    assert first.arrays.keys() == second.arrays.keys()
    for key, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[key])


def test_a_saved_model_answers_as_before(model: Model, log: Interactions, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")

    assert (again.NAME, again.settings, again.vocabulary) == (model.NAME, model.settings, model.vocabulary)
    before, after = (each.recommend(log.histories, 10, log.histories) for each in (model, again))
    np.testing.assert_array_equal(before.products, after.products)
    np.testing.assert_array_equal(before.scores, after.scores)


def test_a_saved_model_folds_in_without_asking_for_the_neighbours_of_every_product(
    model: Model, tmp_path: Path
) -> None:
    history = np.array([1, 5, 9], np.int32)
    before = model.fold_in(history, 6)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")

    assert isinstance(again.compact.neighbours.base, np.memmap)
    after = again.fold_in(history, 6)
    np.testing.assert_array_equal(before.products, after.products)
    np.testing.assert_array_equal(before.scores, after.scores)


def test_the_compact_form_has_the_neighbours_that_are_similar(model: Model, log: Interactions) -> None:
    found = model.similar(np.arange(log.product_count, dtype=np.int32), log.product_count)

    compact = model.compact
    for product, (codes, scores) in enumerate(zip(found.products, found.scores, strict=True)):
        mine = slice(compact.indptr[product], compact.indptr[product + 1])
        told = dict(zip(compact.neighbours[mine].tolist(), compact.scores[mine].tolist(), strict=True))
        similar = {
            code: score for code, score in zip(codes.tolist(), scores.tolist(), strict=True) if score > 0
        }
        assert told == pytest.approx(similar, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("shoppers", "products"),
    [([1], [1]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [1, 1, 1]), ([5] * 9, ["a"] * 9), ([1, "1"], ["x", 2])],
    ids=["one event", "one shopper", "one product", "all duplicates", "mixed ids"],
)
def test_a_tiny_log_is_enough(name: str, shoppers: list[int | str], products: list[int | str]) -> None:
    tiny = with_attributes(from_columns(shoppers, products, ordered=True))

    model = MODELS[name]().fit(tiny)
    ranked = model.recommend(tiny.histories, 2)
    assert (ranked.products[:, 0] >= 0).all()
    assert not np.isnan(ranked.scores).any()
    assert (model.fold_in(tiny.products, 1, repeats=True).products >= 0).all()


def test_a_second_fit_forgets_the_first(name: str, log: Interactions) -> None:
    model = MODELS[name]().fit(log)
    model.fold_in(np.array([1], np.int32), 3)
    half = log.select_events(log.shoppers < 30)
    other = MODELS[name]().fit(half)
    model.fit(half)

    history = np.array([1, 5], np.int32)
    np.testing.assert_array_equal(model.fold_in(history, 5).products, other.fold_in(history, 5).products)


def test_times_and_sessions_are_not_needed(name: str, log: Interactions) -> None:
    bare = replace(log, times=None, sessions=None)

    assert (MODELS[name]().fit(bare).recommend(bare.histories[:4], 5).products >= 0).all()
