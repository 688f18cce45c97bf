"""Results of trials, and the choice of candidates for the next stage."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommenders.base_models import BASE_MODELS
from recommenders.evaluation.sets import Floats
from recommenders.model_selection.candidates import Candidate
from recommenders.models.hybrid import Hybrid


@dataclass(frozen=True)
class TrialResult:
    """The result of a candidate in a stage. `values` holds the mean of the metrics per case, for each split.

    Each of them is float64 [cases]. `events` is the number of events that the candidate was fitted on.
    """

    candidate: Candidate
    stage: str
    values: tuple[Floats, ...]
    events: int
    seconds: float

    @property
    def means(self) -> list[float]:
        """The mean of the values of each split."""
        return [float(values.mean()) if len(values) else 0.0 for values in self.values]

    def pooled(self) -> "TrialResult":
        """Return the result with the cases of all splits as those of one: for random parts of one log."""
        return replace(self, values=(np.concatenate(self.values),))


def best_first(trials: Sequence[TrialResult]) -> list[TrialResult]:
    """Sort trials, best first, by their relative results."""
    return [trials[place] for place in np.argsort(-relative_results(trials), kind="stable")]


def relative_results(trials: Sequence[TrialResult]) -> Floats:
    """Return the worst relative result of each trial, float64 [trials].

    A relative result is the mean of a split divided by the best mean of any trial on this split.
    """
    if not trials:
        return np.empty(0)
    means = np.array([each.means for each in trials])
    best = means.max(axis=0)
    shares: Floats = np.where(best > 0, means / np.where(best > 0, best, 1.0), 1.0).min(axis=1)
    return shares


def select_winner(trials: Sequence[TrialResult]) -> TrialResult:
    """Return the best trial, but a hybrid only if it is better than the best single model.

    All trials have the same cases. The hybrid's mean must be better by more than one standard error of the
    difference, as more has been tried to find it. Source: the one-standard-error rule of Breiman, Friedman,
    Olshen and Stone, Classification and Regression Trees, 1984, section 3.4.3.
    """
    ranked = best_first(trials)
    singles = [each for each in ranked if each.candidate.model != Hybrid.NAME]
    return next(
        each
        for each in ranked
        if each.candidate.model != Hybrid.NAME or not singles or _is_better(each, singles[0])
    )


def _is_better(first: TrialResult, second: TrialResult) -> bool:
    """Return whether the mean of `first` over all splits is better by more than one standard error."""
    differences = [ours - theirs for ours, theirs in zip(first.values, second.values, strict=True)]
    differences = [each for each in differences if len(each)]
    means = [float(each.mean()) for each in differences]
    variances = [float(each.var()) / len(each) for each in differences]
    return bool(sum(means) > np.sqrt(sum(variances)))


def best_of_each_model(leaders: Sequence[TrialResult]) -> list[Candidate]:
    """Return the best candidate of each model, best first. `leaders` is sorted best first."""
    best: dict[str, Candidate] = {}
    for each in leaders:
        best.setdefault(each.candidate.model, each.candidate)
    return list(best.values())


def complementary_models(leaders: Sequence[TrialResult]) -> list[Candidate]:
    """Return the best candidate of each base model, each of them adding most to the ones before it.

    The value of a set of candidates in a case is the largest value of its members. A candidate that is right
    where the others are wrong therefore comes before a better one that is right in the same cases. `leaders`
    is sorted best first. All of them were evaluated on the same cases.
    """
    remaining: dict[str, TrialResult] = {}
    for each in leaders:
        if each.candidate.model in BASE_MODELS:
            remaining.setdefault(each.candidate.model, each)
    chosen: list[Candidate] = []
    reached = [np.zeros(len(values)) for values in leaders[0].values] if leaders else []
    while remaining:
        together = {
            name: [np.maximum(before, own) for before, own in zip(reached, result.values, strict=True)]
            for name, result in remaining.items()
        }
        totals = {name: sum(float(values.mean()) for values in each) for name, each in together.items()}
        name = max(totals, key=totals.__getitem__) if chosen else next(iter(remaining))
        reached = together[name]
        chosen.append(remaining.pop(name).candidate)
    return chosen


def select_promoted(leaders: Sequence[TrialResult], count: int, best: int) -> list[Candidate]:
    """Return `count` candidates: the first `best` leaders, the best of each model, then other leaders."""
    order = [each.candidate for each in leaders]
    return list(dict.fromkeys([*order[:best], *best_of_each_model(leaders), *order]))[:count]
