"""What was tried, and which of it goes on to the next stage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jobs.recommenders.auto.candidates import Candidate
from jobs.recommenders.base_models import BASE_MODELS
from jobs.recommenders.evaluation.sets import Floats


@dataclass(frozen=True)
class TrialResult:
    """A candidate at a stage: what decides, float64 [cases], on each cut; it was fitted on `events`."""

    candidate: Candidate
    stage: str
    values: tuple[Floats, ...]
    events: int
    seconds: float

    @property
    def means(self) -> list[float]:
        """What decides, on each cut."""
        return [float(values.mean()) if len(values) else 0.0 for values in self.values]


def best_first(tried: Sequence[TrialResult]) -> list[TrialResult]:
    """Best first, by the least share of a cut's best that is reached on any cut, so what holds on all."""
    means = np.array([each.means for each in tried])
    best = means.max(axis=0)
    shares = np.where(best > 0, means / np.where(best > 0, best, 1.0), 1.0).min(axis=1)
    return [tried[place] for place in np.argsort(-shares, kind="stable")]


def complementary_models(leaders: Sequence[TrialResult]) -> list[Candidate]:
    """The best candidate of each single model: the best of all, then whichever adds most to those before it.

    What a set is worth in a case is the largest of what its members reach, so a model that is right where the
    others are not comes before a better one that is right where they are. `leaders` is best first, all of the
    same cases.
    """
    left: dict[str, TrialResult] = {}
    for each in leaders:
        if each.candidate.model in BASE_MODELS:
            left.setdefault(each.candidate.model, each)
    found: list[Candidate] = []
    reached = [np.zeros(len(values)) for values in leaders[0].values] if leaders else []
    while left:
        together = {
            name: [np.maximum(before, mine) for before, mine in zip(reached, one.values, strict=True)]
            for name, one in left.items()
        }
        worth = {name: sum(float(values.mean()) for values in each) for name, each in together.items()}
        name = max(worth, key=worth.__getitem__) if found else next(iter(left))
        reached = together[name]
        found.append(left.pop(name).candidate)
    return found


def select_promoted(leaders: Sequence[TrialResult], count: int, best: int) -> list[Candidate]:
    """`best` places to the best, the others to the best of each other model, then to the next best."""
    order = [each.candidate for each in leaders]
    others: dict[str, Candidate] = {}
    for each in order:
        others.setdefault(each.model, each)
    return list(dict.fromkeys([*order[:best], *others.values(), *order]))[:count]
