"""Who is judged: the model that was named or chosen, the best baseline, and popularity."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobs.recommenders.auto.candidates import Candidate
from jobs.recommenders.auto.card import Searched
from jobs.recommenders.auto.search import Choice, OnProgress, Plan, choose

POPULARITY = "popularity"
BASELINES = (POPULARITY, "item_item", "als", "session_knn")
"""What anyone would try first; a model is compared with the best of those that there are."""


@dataclass(frozen=True)
class Contest:
    """Candidates, the one in question first, and how it was searched for, if it was."""

    candidates: Sequence[Candidate]
    searched: Searched | None


def best_of_all(plan: Plan, on_progress: OnProgress) -> Contest:
    """The best of all the plan's models, against the best of the baselines as the same search tuned them.

    Raises:
        UserError: no model can be fitted on this log.
    """
    choice, searched = _searched(plan, on_progress)
    return Contest(_against(choice.best.candidate, choice), searched)


def named(name: str, tune: bool, plan: Plan, baseline_s: float, on_progress: OnProgress) -> Contest:
    """A model, tuned within the plan's budget or as it is, against baselines tuned for `baseline_s` seconds.

    Raises:
        UserError: the model, or no baseline, can be fitted on this log.
    """
    others = {each: plan.models[each] for each in BASELINES if each in plan.models and each != name}
    choice = choose(replace(plan, models=others, budget_s=baseline_s), on_progress) if others else None
    candidate, searched = Candidate.of(plan.models[name], {}), None
    if tune:
        own, searched = _searched(replace(plan, models={name: plan.models[name]}), on_progress)
        candidate = own.best.candidate
    return Contest(_against(candidate, choice), searched)


def _searched(plan: Plan, on_progress: OnProgress) -> tuple[Choice, Searched]:
    began_s = time.monotonic()
    choice = choose(plan, on_progress)
    return choice, Searched.of(plan, choice, time.monotonic() - began_s)


def _against(candidate: Candidate, choice: Choice | None) -> list[Candidate]:
    if choice is None:
        return [candidate]
    rivals = [name for name in BASELINES if name not in (candidate.model, POPULARITY)]
    found = [candidate, choice.best_of(rivals)]
    if candidate.model != POPULARITY:
        found.append(choice.best_of([POPULARITY]))
    return [each for each in found if each is not None]
