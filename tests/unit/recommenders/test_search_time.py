"""How a search uses its time budget, with a clock that only fits advance."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from recommenders.base import Model
from recommenders.evaluation import splits
from recommenders.evaluation.cases import shoppers_held_out
from recommenders.evaluation.metrics import Metric
from recommenders.interactions import Interactions
from recommenders.model_selection import rounds
from recommenders.model_selection.candidates import Candidate, TrialResult, best_first
from recommenders.model_selection.search import SearchPlan, SearchResult, choose
from recommenders.model_selection.stages import STAGES, SampleSize, affordable, fitting_subset
from recommenders.models.hybrid import FitCache, Hybrid
from recommenders.models.item_item import ItemItem
from recommenders.models.popularity import Popularity
from recommenders.models.repeat import Repeat
from recommenders.models.transitions import Transitions

BASE_MODELS: tuple[type[Model], ...] = (Popularity, ItemItem, Transitions, Repeat)
MODELS = {model.NAME: model for model in (*BASE_MODELS, Hybrid)}
FIT_S = 2.0


@dataclass
class Clock:
    """A clock that advances by `FIT_S` for each fit of a single model, and records fits and their logs."""

    now_s: float = 0.0
    fits: list[tuple[Any, ...]] = field(default_factory=list)
    logs: list[Interactions] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    ticking = Clock()
    for model in BASE_MODELS:
        learn = model._learn

        def slow(self: Model, log: Interactions, learn: Any = learn) -> Any:
            ticking.now_s += FIT_S
            ticking.logs.append(log)
            ticking.fits.append((self.NAME, *self.settings.values(), id(log)))
            return learn(self, log)

        monkeypatch.setattr(model, "_learn", slow)
    return ticking


@pytest.fixture
def plan(log: Interactions) -> SearchPlan:
    eval_split = shoppers_held_out(log, splits.last_of_each(log.shoppers, np.arange(len(log))), "the last")
    return SearchPlan(MODELS, [eval_split], [Metric("ndcg", 5)], repeats=True, budget_s=300, seed=0)


def searched(plan: SearchPlan, clock: Clock) -> tuple[SearchResult, float]:
    """Return the choice, and the seconds from the first trial to the end."""
    began_s: list[float] = []
    result = choose(plan, lambda *_: began_s.append(clock()), clock)
    return result, clock() - began_s[len(MODELS)]


@pytest.mark.parametrize("budget_s", [80, 120])
def test_the_search_and_the_last_fit_keep_to_the_budget_and_use_it(plan, clock, budget_s):
    result, seconds = searched(replace(plan, budget_s=budget_s), clock)

    before_s = clock()
    result.best.candidate.build(MODELS).fit(plan.eval_splits[0].log)
    assert seconds + clock() - before_s <= budget_s
    assert seconds >= 0.7 * budget_s


@pytest.mark.parametrize("budget_s", [100, 300])
def test_a_learned_order_of_the_leading_four_is_the_first_hybrid(plan, clock, budget_s):
    result, _ = searched(replace(plan, budget_s=budget_s), clock)

    first = next(each.candidate for each in result.trials if each.candidate.model == "hybrid")
    settings = dict(first.settings)
    assert settings["order"] == "every"
    assert len(json.loads(settings["members"])) == 4


def test_members_are_fitted_once_for_all_hybrids_of_a_cut(plan, clock):
    result, _ = searched(plan, clock)

    assert sum(each.candidate.model == "hybrid" for each in result.trials) >= 4
    searching = clock.fits[len(BASE_MODELS) + 4 :]  # after the fits that compile the models
    assert len(searching) == len(set(searching))


SMALL_STAGES = tuple(
    replace(each, sizes=[SampleSize(max(size.events // 1_000, 50), 60) for size in each.sizes])
    for each in STAGES
)
"""The stages with a thousandth of their events: `explore` has 200, `narrow` all 660 and then half of them."""


@pytest.fixture
def growing_clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock on which a fit takes a second per 50 events, and that of `transitions` ten times as long."""
    monkeypatch.setattr("recommenders.model_selection.search.STAGES", SMALL_STAGES)
    monkeypatch.setattr("recommenders.model_selection.search.PILOT", SampleSize(50, 20))
    monkeypatch.setattr(
        "recommenders.model_selection.search.PILOTS", [SampleSize(24, 20), SampleSize(50, 20)]
    )
    for model in BASE_MODELS:
        learn = model._learn

        def slow(self: Model, log: Interactions, learn: Any = learn) -> Any:
            clock.now_s += len(log) / 50 * (10 if self.NAME == "transitions" else 1) - FIT_S
            return learn(self, log)

        monkeypatch.setattr(model, "_learn", slow)
    return clock


def stage_of(result: SearchResult, name: str) -> list[TrialResult]:
    return [each for each in result.trials if each.stage == name]


@pytest.mark.parametrize("budget_s", [150, 400, 1_500])
def test_simple_candidates_of_every_model_are_tried_before_others(plan, growing_clock, budget_s):
    result, _ = searched(replace(plan, budget_s=budget_s), growing_clock)

    explored = stage_of(result, "explore")
    first = {each.candidate for each in explored[: len(BASE_MODELS)]}
    assert first == {Candidate.of(model, {}) for model in BASE_MODELS}
    assert explored[len(BASE_MODELS) - 1].candidate.model == "transitions"
    assert len({each.events for each in explored}) == 1


def test_a_stage_that_does_not_fit_is_made_smaller(plan, growing_clock):
    tight, ample = (searched(replace(plan, budget_s=budget_s), growing_clock)[0] for budget_s in (250, 5_000))

    [tight_events], [ample_events] = (
        {each.events for each in stage_of(result, "narrow")} for result in (tight, ample)
    )
    assert max(each.events for each in stage_of(tight, "explore")) < tight_events < ample_events
    assert f"narrow (on {tight_events:,} events)" in tight.cut_short
    assert not any(each.startswith("narrow") for each in ample.cut_short)
    competitive = {each.model for each in rounds.competitive(best_first(stage_of(tight, "explore")))}
    assert competitive <= {each.candidate.model for each in stage_of(tight, "narrow")}


@pytest.mark.parametrize("budget_s", [500, 1_000, 2_000])
def test_the_budget_is_used_while_it_lasts(plan, growing_clock, budget_s):
    result, seconds = searched(replace(plan, budget_s=budget_s), growing_clock)

    before_s = growing_clock()
    result.best.candidate.build(MODELS).fit(plan.eval_splits[0].log)
    fit_s = growing_clock() - before_s
    assert 0.7 * budget_s <= seconds + fit_s <= budget_s
    finals = stage_of(result, "confirm")
    assert result.best in finals
    assert len({each.events for each in finals}) == 1


def test_as_many_are_tried_as_fit_into_the_time_in_wide_steps():
    assert affordable([1.0] * 5, 5.0) == 5
    assert affordable([1.0] * 19, 9.9) == 8
    assert affordable([1.0] * 99, 55.0) == 48
    assert affordable([2.0, 1.0], 1.0) == 0
    assert affordable([], 0.0) == 0


def test_hybrids_that_are_too_dear_leave_the_time_to_others():
    assert fitting_subset([5.0, 1.0, 3.0, 1.0], 4.5) == [1, 2]


def test_a_memo_gives_the_same_model_until_others_need_the_room(log):
    size = sum(array.nbytes for array in Popularity().fit(log).arrays.values())
    cache = FitCache(2 * size + 1)
    first = cache.fit(Popularity(), log)

    assert cache.fit(Popularity(), log) is first
    assert cache.fit(Popularity(window=0.3), log) is not first
    assert cache.fit(Popularity(), log) is first
    cache.fit(Popularity(window=0.1), log)
    assert cache.has_model(Popularity(), log)
    assert not cache.has_model(Popularity(window=0.3), log)


def test_a_hybrid_says_the_same_with_a_memo_and_without(log):
    cache = FitCache(10**9)
    for order in ("last", "sum", "last"):
        alone, sharing = (Hybrid('{"item_item": {}, "repeat": {}}', order) for _ in range(2))
        sharing.cache = cache

        ranked = [model.fit(log).recommend(log.histories, 5) for model in (alone, sharing)]

        np.testing.assert_array_equal(ranked[0].products, ranked[1].products)
