"""Selects the models to compare: the given or best model, the best baseline, and popularity."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from recommenders.model_selection.candidates import Candidate
from recommenders.model_selection.model_card import SearchSummary
from recommenders.model_selection.search import OnProgress, SearchPlan, SearchResult, choose

POPULARITY = "popularity"
BASELINES = (POPULARITY, "item_item", "als", "session_knn")
"""Well-known models. The selected model is compared with the best of them and with popularity."""


@dataclass(frozen=True)
class ModelSelection:
    """The candidates to compare, the selected one first. `search_summary` is None if it was not tuned."""

    candidates: Sequence[Candidate]
    search_summary: SearchSummary | None


def select_best_model(
    plan: SearchPlan, on_progress: OnProgress, clock: Callable[[], float] = time.monotonic
) -> ModelSelection:
    """Select the best of the plan's models, and baselines that the same search tuned.

    `clock` measures the plan's budget.

    Raises:
        UserError: no model can be fitted on this log.
    """
    result, search_summary = _search(plan, on_progress, clock)
    return ModelSelection(_with_baselines(result.best.candidate, result), search_summary)


def select_named_model(
    name: str, tune: bool, plan: SearchPlan, baseline_s: float, on_progress: OnProgress
) -> ModelSelection:
    """Select the model `name`, and baselines that are tuned for `baseline_s` seconds.

    With `tune`, the model is tuned within the plan's budget. Otherwise it has its default settings.

    Raises:
        UserError: the model can't be tuned on this log, or no baseline can be fitted on it.
    """
    baselines = {each: plan.models[each] for each in BASELINES if each in plan.models and each != name}
    result = choose(replace(plan, models=baselines, budget_s=baseline_s), on_progress) if baselines else None
    candidate, search_summary = Candidate.of(plan.models[name], {}, plan.eval_splits[0].log.ordered), None
    if tune:
        tuned, search_summary = _search(
            replace(plan, models={name: plan.models[name]}), on_progress, time.monotonic
        )
        candidate = tuned.best.candidate
    return ModelSelection(_with_baselines(candidate, result), search_summary)


def _search(
    plan: SearchPlan, on_progress: OnProgress, clock: Callable[[], float]
) -> tuple[SearchResult, SearchSummary]:
    began_s = time.monotonic()
    result = choose(plan, on_progress, clock)
    return result, SearchSummary.of(plan, result, time.monotonic() - began_s)


def _with_baselines(candidate: Candidate, result: SearchResult | None) -> list[Candidate]:
    if result is None:
        return [candidate]
    other_baselines = [name for name in BASELINES if name not in (candidate.model, POPULARITY)]
    candidates = [candidate, result.best_of(other_baselines)]
    if candidate.model != POPULARITY:
        candidates.append(result.best_of([POPULARITY]))
    return [each for each in candidates if each is not None]
