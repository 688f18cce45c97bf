"""The search for the best model and settings."""

import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from common.errors import UserError
from jobs.recommenders.auto.candidates import Candidate, drawn, hybrid, neighbours, steps
from jobs.recommenders.auto.contest import best_of_all, named
from jobs.recommenders.auto.search import Choice, Plan, choose
from jobs.recommenders.auto.stages import STAGES, Size, shrunk
from jobs.recommenders.auto.tried import Tried, complementary, ordered
from jobs.recommenders.base import Model
from jobs.recommenders.evaluation import splits
from jobs.recommenders.evaluation.cases import shoppers_held_out
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.histories import Histories
from jobs.recommenders.interactions import Interactions, from_columns
from jobs.recommenders.models.hybrid import Hybrid
from jobs.recommenders.models.item_item import ItemItem
from jobs.recommenders.models.popularity import Popularity
from jobs.recommenders.models.repeat import Repeat

PRODUCTS = 30


@dataclass
class Onward(Model):
    """Recommends the product `step` further than the newest one of the history."""

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
    """Needs what the log has not."""

    NAME = "picky"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {}

    def _learn(self, log: Interactions) -> dict[str, np.ndarray]:  # noqa: ARG002
        raise UserError("the log has no attributes")

    def scores(self, histories: Histories) -> np.ndarray:  # noqa: ARG002
        raise AssertionError("it was never fitted")


MODELS = {model.NAME: model for model in (Popularity, Onward, Picky)}


@pytest.fixture(scope="module")
def log() -> Interactions:
    starts = np.random.default_rng(1).integers(0, PRODUCTS, 200)
    products = (starts[:, None] + 5 * np.arange(6)) % PRODUCTS
    catalogue = list(range(PRODUCTS))
    return from_columns(np.repeat(np.arange(200), 6), products.ravel(), catalogue=catalogue)


@pytest.fixture(scope="module")
def plan(log: Interactions) -> Plan:
    trial = shoppers_held_out(log, splits.last_of_each(log.shoppers, np.arange(len(log))), "the last")
    return Plan(MODELS, [trial], [Metric("mrr", 5)], repeats=True, budget_s=20, seed=3)


def quiet(done: int, of: int, doing: str) -> None:
    pass


def stopped() -> float:
    return 0.0


def test_the_search_finds_the_settings_that_are_right(plan):
    choice = choose(plan, quiet, stopped)

    assert choice.best.candidate.model == "onward"
    assert dict(choice.best.candidate.settings)["step"] == 5
    assert choice.best.means == [1.0]
    assert choice.best.stage == STAGES[-1].name
    assert choice.skipped == {"picky": "the log has no attributes"}
    assert not choice.cut_short


def test_the_same_seed_chooses_the_same(plan):
    first, second = choose(plan, quiet, stopped), choose(plan, quiet, stopped)

    assert first.best.candidate == second.best.candidate
    assert [each.candidate for each in first.tried] == [each.candidate for each in second.tried]


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

    choice = choose(plan, quiet, lambda: float(next(hours)))

    assert choice.cut_short
    assert choice.best.candidate.model in ("popularity", "onward")


def test_what_is_found_is_the_mean_of_all_metrics(plan):
    metrics = [Metric("hit", 1), Metric("hit", 5), Metric("mrr", 5)]
    choices = [
        choose(replace(plan, metrics=wanted), quiet, stopped)
        for wanted in (metrics[:1], metrics[1:2], metrics)
    ]

    [first], [second], [_] = (choice.tried[0].means for choice in choices)
    (at_one,), (at_five,), (together,) = (choice.tried[0].values for choice in choices)
    assert first < second
    assert np.all(together >= (at_one + at_five) / 3)
    assert np.all(together <= (at_one + 2 * at_five) / 3)


def test_where_no_model_can_be_fitted_the_reasons_are_told(plan):
    only = Plan({"picky": Picky}, plan.trials, plan.metrics, plan.repeats, plan.budget_s, plan.seed)

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
    few, many = drawn(MODELS, 8, seed=1), drawn(MODELS, 20, seed=1)

    assert few[:3] == [Candidate.of(model, {}) for model in MODELS.values()]
    assert many[:8] == few
    assert len(set(many)) == 20
    assert len(drawn(MODELS, 1, seed=1)) == 3
    assert len(drawn({"onward": Onward}, 99, seed=1)) <= 24


def test_neighbours_differ_in_one_setting_by_one_step():
    found = neighbours(Candidate.of(Onward, {"step": 4}), MODELS)

    changed = [{"step": 3}, {"step": 5}, {"step": 4, "unused": 1}]
    assert found == [Candidate.of(Onward, each) for each in changed]


def test_names_have_no_order_so_each_is_a_neighbour():
    found = neighbours(Candidate.of(ItemItem, {}), {"item_item": ItemItem})

    assert {dict(each.settings)["weighting"] for each in found} == {"cosine", "tfidf", "bm25"}
    assert {dict(each.settings)["neighbours"] for each in found} == {500, 100}


def test_what_holds_on_all_cuts_comes_before_what_shines_on_one():
    def tried(*means: float) -> Tried:
        return Tried(
            Candidate("any", (("means", means),)), "explore", tuple(np.array([each]) for each in means), 9, 1
        )

    shining, steady, poor = tried(1.0, 0.1), tried(0.8, 0.3), tried(0.1, 0.0)

    assert ordered([poor, shining, steady]) == [steady, shining, poor]


def test_a_stage_takes_whole_shoppers_and_few_cases(plan):
    small = shrunk(plan.trials[0], Size(events=52, cases=7), seed=1)

    assert len(small.log) == 50
    assert set(np.bincount(small.log.shoppers)) == {0, 5}
    assert len(small.cases) == 7


def test_a_model_is_compared_with_popularity_and_the_best_baseline(plan):
    chosen = best_of_all(plan, quiet)
    asked_for = named("onward", False, plan, 1, quiet)
    tuned = named("onward", True, plan, 1, quiet)

    assert [each.model for each in chosen.candidates] == ["onward", "popularity"]
    assert asked_for.candidates[0] == Candidate.of(Onward, {})
    assert asked_for.searched is None
    assert dict(tuned.candidates[0].settings)["step"] == 5
    assert tuned.searched is not None
    assert tuned.searched.tried >= 4


def test_the_best_baseline_is_that_of_the_last_stage_it_reached():
    def tried(model: str, stage: str, value: float) -> Tried:
        return Tried(Candidate(model, ()), stage, (np.array([value]),), 9, 1)

    explored = [tried("als", "explore", 0.2), tried("item_item", "explore", 0.3)]
    all_tried = [*explored, tried("als", "confirm", 0.1), tried("other", "confirm", 0.9)]
    choice = Choice(all_tried[-1], all_tried, [], {})

    assert choice.best_of(["als", "item_item"]) == Candidate("als", ())
    assert choice.best_of(["item_item"]) == Candidate("item_item", ())
    assert choice.best_of(["none"]) is None


def test_a_hybrid_has_the_settings_of_its_members():
    members = [Candidate.of(ItemItem, {"neighbours": 30}), Candidate.of(Popularity, {"own": 1.0})]

    settings = dict(hybrid(members, "last").settings)

    said = json.loads(settings["members"])
    assert said["item_item"]["neighbours"] == 30
    assert said["popularity"]["own"] == 1.0
    assert settings["order"] == "last"


def test_a_hybrid_is_a_member_or_a_setting_away_from_others():
    item_item, popularity, repeat = (Candidate.of(model, {}) for model in (ItemItem, Popularity, Repeat))
    models = {model.NAME: model for model in (ItemItem, Popularity, Repeat)}

    found = steps(hybrid([item_item, repeat], "sum"), [popularity, repeat], models)

    assert found[0] == hybrid([item_item, repeat, popularity], "sum")
    assert hybrid([item_item, Candidate.of(Repeat, {"decay": 0.5})], "sum") in found
    assert not any(each == hybrid([item_item], "sum") for each in found)
    assert hybrid([item_item, popularity], "sum") in steps(found[0], [], models)


def test_a_model_that_is_right_where_the_others_are_not_is_their_next_companion():
    def tried(model: str, *right: float) -> Tried:
        return Tried(Candidate(model, ()), "narrow", (np.array(right),), 9, 1)

    leading = [
        tried("session_knn", 1, 1, 1, 0, 0),
        tried("session_knn", 1, 1, 0, 0, 0),
        tried("item_item", 1, 1, 0.5, 0, 0),
        tried("hybrid", 1, 1, 0, 0, 0),
        tried("repeat", 0, 0, 0, 1, 0),
    ]

    found = complementary(leading)

    assert found == [leading[0].candidate, leading[4].candidate, leading[2].candidate]


def test_the_search_tries_hybrids_of_what_did_well(plan):
    models = {model.NAME: model for model in (Popularity, ItemItem, Hybrid)}

    choice = choose(replace(plan, models=models), quiet, stopped)

    tried = {each.candidate for each in choice.tried if each.candidate.model == "hybrid"}
    assert tried
    assert all(
        {"item_item", "popularity"} == set(json.loads(dict(each.settings)["members"])) for each in tried
    )
