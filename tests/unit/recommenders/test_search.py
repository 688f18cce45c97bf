"""The search for the best model and settings."""

import json
import resource
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from common.errors import UserError
from recommenders.base import Model
from recommenders.evaluation import splits
from recommenders.evaluation.cases import shoppers_held_out
from recommenders.evaluation.metrics import Metric
from recommenders.evaluation.sets import ProductSets
from recommenders.histories import Histories
from recommenders.interactions import Interactions, from_columns
from recommenders.model_selection import rounds
from recommenders.model_selection.baselines import select_best_model, select_named_model
from recommenders.model_selection.candidates import (
    Candidate,
    TrialResult,
    best_first,
    complementary_models,
    hybrid_candidate,
    neighbouring_candidates,
    neighbouring_hybrids,
    sample_candidates,
    select_winner,
)
from recommenders.model_selection.search import SearchPlan, SearchResult, choose
from recommenders.model_selection.stages import STAGES, SampleSize, subsample
from recommenders.model_selection.trial_runner import TrialRunner, cache_bytes
from recommenders.models.hybrid import FitCache, Hybrid
from recommenders.models.item_item import ItemItem
from recommenders.models.popularity import Popularity
from recommenders.models.repeat import Repeat

PRODUCTS = 30


@dataclass
class Onward(Model):
    """Recommends the product whose code is `step` higher than that of the newest product."""

    NAME = "onward"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {"step": tuple(range(12)), "unused": (0, 1)}

    step: int = 0
    unused: int = 0

    def _learn(self, log: Interactions) -> dict[str, np.ndarray]:  # noqa: ARG002
        return {}

    def scores(self, histories: Histories) -> np.ndarray:
        newest = histories.products[histories.indptr[1:] - 1]
        wanted = (newest + self.step) % self.product_count
        return -np.abs(np.arange(self.product_count) - wanted[:, None]).astype(np.float32)


@dataclass
class Picky(Model):
    """A model that requires data that the log lacks."""

    NAME = "picky"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {}

    def _learn(self, log: Interactions) -> dict[str, np.ndarray]:  # noqa: ARG002
        raise UserError("the log has no attributes")

    def scores(self, histories: Histories) -> np.ndarray:  # noqa: ARG002
        raise AssertionError("it was never fitted")


@dataclass
class Hungry(Onward):
    """A model whose memory is there only while nothing is cached."""

    NAME = "hungry"
    cache: ClassVar[FitCache]

    def _learn(self, log: Interactions) -> dict[str, np.ndarray]:
        if self.cache._entries:
            raise MemoryError
        return {"taken": np.zeros(len(log))}


@dataclass
class Insatiable(Onward):
    """A model that there is never enough memory for."""

    NAME = "insatiable"

    def _learn(self, log: Interactions) -> dict[str, np.ndarray]:  # noqa: ARG002
        raise MemoryError


MODELS = {model.NAME: model for model in (Popularity, Onward, Picky)}


@pytest.fixture(scope="module")
def log() -> Interactions:
    starts = np.random.default_rng(1).integers(0, PRODUCTS, 200)
    products = (starts[:, None] + 5 * np.arange(6)) % PRODUCTS
    catalogue = list(range(PRODUCTS))
    return from_columns(np.repeat(np.arange(200), 6), products.ravel(), catalogue=catalogue, ordered=True)


@pytest.fixture(scope="module")
def plan(log: Interactions) -> SearchPlan:
    eval_split = shoppers_held_out(log, splits.last_of_each(log.shoppers, np.arange(len(log))), "the last")
    return SearchPlan(MODELS, [eval_split], [Metric("mrr", 5)], repeats=True, budget_s=20, seed=3)


def quiet(done: int, of: int, doing: str) -> None:
    pass


def stopped() -> float:
    return 0.0


def test_the_search_finds_the_settings_that_are_right(plan):
    result = choose(plan, quiet, stopped)

    assert result.best.candidate.model == "onward"
    assert dict(result.best.candidate.settings)["step"] == 5
    assert result.best.means == [1.0]
    assert result.best.stage == STAGES[-1].name
    assert result.skipped == {"picky": "the log has no attributes"}
    assert not result.cut_short


def test_a_model_that_there_is_no_memory_for_is_skipped(plan):
    models = {"insatiable": Insatiable, "onward": Onward}
    runner = TrialRunner(models, plan.metrics, plan.repeats, stopped)
    candidates = [Candidate.of(model, {}) for model in models.values()]

    results = runner.run_all(candidates, "explore", plan.eval_splits)

    assert [each.candidate.model for each in results] == ["onward"]
    assert runner.skipped == {"insatiable": "it needs more memory than there is"}


def test_a_model_gets_the_memory_of_what_is_cached(plan):
    runner = TrialRunner({"hungry": Hungry}, plan.metrics, plan.repeats, stopped, cache=FitCache(10**6))
    Hungry.cache = runner.cache
    candidates = [Candidate.of(Hungry, {"step": step}) for step in (3, 5)]

    results = runner.run_all(candidates, "explore", plan.eval_splits)

    assert [each.candidate for each in results] == candidates
    assert not runner.skipped
    assert len(runner.cache._entries) == 1, "the first was forgotten for the second"


@pytest.mark.parametrize(
    ("limit", "cached"), [(resource.RLIM_INFINITY, 800_000_000), (10**12, 800_000_000), (10**9, 250_000_000)]
)
def test_what_is_cached_is_a_share_of_the_memory_that_may_be_allocated(limit, cached, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))

    assert cache_bytes() == cached


def test_the_same_seed_chooses_the_same(plan):
    first, second = choose(plan, quiet, stopped), choose(plan, quiet, stopped)

    assert first.best.candidate == second.best.candidate
    assert [each.candidate for each in first.trials] == [each.candidate for each in second.trials]


def test_nothing_is_fitted_twice_on_the_same_events(plan, monkeypatch):
    fitted: list[Any] = []
    learn = Onward._learn

    def noted(self: Onward, log: Interactions) -> dict[str, np.ndarray]:
        fitted.append((len(log), *self.settings.values()))
        return learn(self, log)

    monkeypatch.setattr(Onward, "_learn", noted)

    choose(plan, quiet)

    assert len(fitted) == len(set(fitted))


def test_a_budget_that_runs_out_still_chooses_and_says_so(plan):
    hours = iter(range(0, 10**9, 3_600))

    result = choose(plan, quiet, lambda: float(next(hours)))

    assert result.cut_short
    assert result.best.candidate.model in ("popularity", "onward")


def test_what_is_found_is_the_mean_of_all_metrics(plan):
    metrics = [Metric("hit", 1), Metric("hit", 5), Metric("mrr", 5)]
    results = [
        choose(replace(plan, metrics=wanted), quiet, stopped)
        for wanted in (metrics[:1], metrics[1:2], metrics)
    ]

    [first], [second], [_] = (result.trials[0].means for result in results)
    (at_one,), (at_five,), (together,) = (result.trials[0].values for result in results)
    assert first < second
    assert np.all(together >= (at_one + at_five) / 3)
    assert np.all(together <= (at_one + 2 * at_five) / 3)


def test_where_no_model_can_be_fitted_the_reasons_are_told(plan):
    only = SearchPlan(
        {"picky": Picky}, plan.eval_splits, plan.metrics, plan.repeats, plan.budget_s, plan.seed
    )

    with pytest.raises(UserError, match=r"no model can be fitted on this log \(picky: the log has no attr"):
        choose(only, quiet)


def test_progress_is_of_seconds_and_never_past_its_end(plan):
    seen: list[tuple[int, int]] = []
    seconds = iter(range(10**9))

    choose(plan, lambda done, of, _: seen.append((done, of)), lambda: 0.1 * next(seconds))

    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert max(done for done, _ in seen) > 10
    assert all(done <= of == 20 for done, of in seen)


def test_defaults_come_first_and_more_candidates_begin_with_the_fewer():
    few, many = sample_candidates(MODELS, 8, seed=1), sample_candidates(MODELS, 20, seed=1)

    assert few[:3] == [Candidate.of(model, {}) for model in MODELS.values()]
    assert many[:8] == few
    assert len(set(many)) == 20
    assert len(sample_candidates(MODELS, 1, seed=1)) == 3
    assert len(sample_candidates({"onward": Onward}, 99, seed=1)) <= 24


def test_neighbours_differ_in_one_setting_by_one_step():
    found = neighbouring_candidates(Candidate.of(Onward, {"step": 4}), MODELS)

    changed = [{"step": 3}, {"step": 5}, {"step": 4, "unused": 1}]
    assert found == [Candidate.of(Onward, each) for each in changed]


def test_names_have_no_order_so_each_is_a_neighbour():
    found = neighbouring_candidates(Candidate.of(ItemItem, {}), {"item_item": ItemItem})

    assert {dict(each.settings)["weighting"] for each in found} == {"cosine", "tfidf", "bm25"}
    assert {dict(each.settings)["neighbours"] for each in found} == {500, 100}


def test_what_holds_on_all_cuts_comes_before_what_shines_on_one():
    def tried(*means: float) -> TrialResult:
        return TrialResult(
            Candidate("any", (("means", means),)), "explore", tuple(np.array([each]) for each in means), 9, 1
        )

    shining, steady, poor = tried(1.0, 0.1), tried(0.8, 0.3), tried(0.1, 0.0)

    assert best_first([poor, shining, steady]) == [steady, shining, poor]


def tried_in_fold(model: str, *values: float) -> TrialResult:
    return TrialResult(Candidate(model, (("values", values),)), "confirm", (np.array(values),), 9, 1)


def test_a_hybrid_wins_only_if_it_beats_its_best_member_by_more_than_chance():
    member = tried_in_fold("ridge", 0.4, 0.6, 0.5, 0.5)
    luckier = tried_in_fold("hybrid", 0.9, 0.2, 0.5, 0.5)
    better = tried_in_fold("hybrid", 0.6, 0.7, 0.7, 0.6)
    single = tried_in_fold("als", 0.9, 0.2, 0.5, 0.5)

    assert best_first([member, luckier])[0] == luckier
    assert select_winner([luckier, member]) == member
    assert select_winner([member, better, luckier]) == better
    assert select_winner([member, single]) == single
    assert select_winner([luckier]) == luckier


def test_what_is_chosen_is_best_on_a_fold_that_no_setting_was_chosen_by(plan):
    """In the search, step 5 is always right; among the events that confirm, step 4 is right more often."""
    eval_split = plan.eval_splits[0]
    truth = eval_split.cases.truth
    earlier = ProductSets(truth.indptr, ((truth.products - 1) % PRODUCTS).astype(np.int32))
    fold = replace(eval_split, name="another", cases=replace(eval_split.cases, truth=earlier))

    result = choose(replace(plan, confirmation_splits=[fold]), quiet, stopped)

    assert dict(result.best.candidate.settings)["step"] == 4
    assert (result.best.means, result.split_names) == ([1.0], ["another"])
    leader = best_first([each for each in result.trials if each.stage == "narrow"])[0]
    assert dict(leader.candidate.settings)["step"] == 5


def test_every_model_that_may_be_best_is_compared_on_the_same_cases_in_the_end(plan):
    models = {model.NAME: model for model in (Popularity, ItemItem, Repeat, Hybrid)}

    result = choose(replace(plan, models=models), quiet, stopped)

    finals = [each for each in result.trials if each.stage == "confirm"]
    searched = best_first([each for each in result.trials if each.stage in ("narrow", "refine", "combine")])
    assert {each.model for each in rounds.competitive(searched)} <= {each.candidate.model for each in finals}
    assert len({each.events for each in finals}) == 1
    assert result.best in finals
    assert all(result.best.means >= each.means for each in finals if each.candidate.model != "hybrid")


def test_hybrids_that_a_single_model_beats_are_not_in_the_final():
    member, weaker = tried_in_fold("ridge", 0.5, 0.5), tried_in_fold("als", 0.4, 0.4)
    better, another = tried_in_fold("hybrid", 0.6, 0.6), tried_in_fold("hybrid", 0.6, 0.5)
    worse = tried_in_fold("hybrid", 0.4, 0.5)

    every, *fewer = rounds.confirm(lambda: [better, another, member, worse, weaker])

    assert every == [each.candidate for each in (better, member, another, weaker)]
    assert fewer == [every[:3], every[:2]]


def test_a_stage_takes_whole_shoppers_and_few_cases(plan):
    small = subsample(plan.eval_splits[0], SampleSize(events=52, cases=7), seed=1)

    assert len(small.log) == 50
    assert set(np.bincount(small.log.shoppers)) == {0, 5}
    assert len(small.cases) == 7


def test_a_model_is_compared_with_popularity_and_the_best_baseline(plan):
    chosen = select_best_model(plan, quiet)
    asked_for = select_named_model("onward", False, plan, 1, quiet)
    tuned = select_named_model("onward", True, plan, 1, quiet)

    assert [each.model for each in chosen.candidates] == ["onward", "popularity"]
    assert asked_for.candidates[0] == Candidate.of(Onward, {})
    assert asked_for.search_summary is None
    assert dict(tuned.candidates[0].settings)["step"] == 5
    assert tuned.search_summary is not None
    assert tuned.search_summary.tried >= 4


def test_the_best_baseline_is_that_of_the_last_stage_it_reached():
    def tried(model: str, stage: str, value: float) -> TrialResult:
        return TrialResult(Candidate(model, ()), stage, (np.array([value]),), 9, 1)

    explored = [tried("als", "explore", 0.2), tried("item_item", "explore", 0.3)]
    all_tried = [*explored, tried("als", "confirm", 0.1), tried("other", "confirm", 0.9)]
    result = SearchResult(all_tried[-1], all_tried, [], {}, ["any"])

    assert result.best_of(["als", "item_item"]) == Candidate("als", ())
    assert result.best_of(["item_item"]) == Candidate("item_item", ())
    assert result.best_of(["none"]) is None


def test_a_hybrid_has_the_settings_of_its_members():
    members = [Candidate.of(ItemItem, {"neighbours": 30}), Candidate.of(Popularity, {"own": 1.0})]

    settings = dict(hybrid_candidate(members, "last").settings)

    said = json.loads(settings["members"])
    assert said["item_item"]["neighbours"] == 30
    assert said["popularity"]["own"] == 1.0
    assert settings["order"] == "last"


def test_a_hybrid_is_a_member_or_a_setting_away_from_others():
    item_item, popularity, repeat = (Candidate.of(model, {}) for model in (ItemItem, Popularity, Repeat))
    models = {model.NAME: model for model in (ItemItem, Popularity, Repeat)}

    found = neighbouring_hybrids(hybrid_candidate([item_item, repeat], "sum"), [popularity, repeat], models)

    assert found[0] == hybrid_candidate([item_item, repeat, popularity], "sum")
    assert hybrid_candidate([item_item, Candidate.of(Repeat, {"decay": 0.5})], "sum") in found
    assert not any(each == hybrid_candidate([item_item], "sum") for each in found)
    assert hybrid_candidate([item_item, popularity], "sum") in neighbouring_hybrids(found[0], [], models)


def test_a_model_that_is_right_where_the_others_are_not_is_their_next_companion():
    def tried(model: str, *right: float) -> TrialResult:
        return TrialResult(Candidate(model, ()), "narrow", (np.array(right),), 9, 1)

    leaders = [
        tried("session_knn", 1, 1, 1, 0, 0),
        tried("session_knn", 1, 1, 0, 0, 0),
        tried("item_item", 1, 1, 0.5, 0, 0),
        tried("hybrid", 1, 1, 0, 0, 0),
        tried("repeat", 0, 0, 0, 1, 0),
    ]

    found = complementary_models(leaders)

    assert found == [leaders[0].candidate, leaders[4].candidate, leaders[2].candidate]


def test_the_search_tries_hybrids_of_what_did_well(plan):
    models = {model.NAME: model for model in (Popularity, ItemItem, Hybrid)}

    result = choose(replace(plan, models=models), quiet, stopped)

    tried = {each.candidate for each in result.trials if each.candidate.model == "hybrid"}
    assert tried
    assert all(
        {"item_item", "popularity"} == set(json.loads(dict(each.settings)["members"])) for each in tried
    )
