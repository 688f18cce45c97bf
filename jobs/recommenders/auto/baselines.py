"""Who is judged: the model that was named or chosen, the best baseline, and popularity."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobs.recommenders.auto.candidates import Candidate
from jobs.recommenders.auto.model_card import SearchSummary
from jobs.recommenders.auto.search import OnProgress, SearchPlan, SearchResult, choose

POPULARITY = "popularity"
BASELINES = (POPULARITY, "item_item", "als", "session_knn")
"""What anyone would try first; a model is compared with the best of those that there are."""


@dataclass(frozen=True)
class ModelSelection:
    """Candidates, the one in question first, and how it was searched for, if it was."""

    candidates: Sequence[Candidate]
    search_summary: SearchSummary | None


def select_best_model(plan: SearchPlan, on_progress: OnProgress) -> ModelSelection:
    """The best of all the plan's models, against the best of the baselines as the same search tuned them.

    Raises:
        UserError: no model can be fitted on this log.
    """
    result, search_summary = _search(plan, on_progress)
    return ModelSelection(_with_baselines(result.best.candidate, result), search_summary)


def select_named_model(
    name: str, tune: bool, plan: SearchPlan, baseline_s: float, on_progress: OnProgress
) -> ModelSelection:
    """A model, tuned within the plan's budget or as it is, against baselines tuned for `baseline_s` seconds.

    Raises:
        UserError: the model, or no baseline, can be fitted on this log.
    """
    others = {each: plan.models[each] for each in BASELINES if each in plan.models and each != name}
    result = choose(replace(plan, models=others, budget_s=baseline_s), on_progress) if others else None
    candidate, search_summary = Candidate.of(plan.models[name], {}), None
    if tune:
        own, search_summary = _search(replace(plan, models={name: plan.models[name]}), on_progress)
        candidate = own.best.candidate
    return ModelSelection(_with_baselines(candidate, result), search_summary)


def _search(plan: SearchPlan, on_progress: OnProgress) -> tuple[SearchResult, SearchSummary]:
    began_s = time.monotonic()
    result = choose(plan, on_progress)
    return result, SearchSummary.of(plan, result, time.monotonic() - began_s)


def _with_baselines(candidate: Candidate, result: SearchResult | None) -> list[Candidate]:
    if result is None:
        return [candidate]
    rivals = [name for name in BASELINES if name not in (candidate.model, POPULARITY)]
    found = [candidate, result.best_of(rivals)]
    if candidate.model != POPULARITY:
        found.append(result.best_of([POPULARITY]))
    return [each for each in found if each is not None]
