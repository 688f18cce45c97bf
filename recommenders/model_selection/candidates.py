"""Candidates of the search: models with settings from their search spaces; and results of their trials."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, zip_longest
from typing import Any

import numpy as np

from recommenders.base import Model
from recommenders.base_models import BASE_MODELS
from recommenders.evaluation.sets import Floats
from recommenders.models.hybrid import Hybrid, members_text

Models = Mapping[str, type[Model]]
"""Model classes by name."""

_MAX_MISSES = 20
"""The sampling of a model ends after this many known candidates in a row."""


@dataclass(frozen=True)
class Candidate:
    """A model's name and all its settings: pairs (name, value), sorted by name."""

    model: str
    settings: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, model: type[Model], changed: Mapping[str, Any], ordered: bool = True) -> "Candidate":
        """Return a candidate with the model's default settings, except for `changed`.

        If the log is not `ordered`, settings that use the order of events have no effect.
        """
        built = model(**changed)
        if not ordered and not model.NEEDS_ORDER:
            built.drop_order()
        return cls(model.NAME, tuple(sorted(built.settings.items())))

    def build(self, models: Models) -> Model:
        """Return a new model with these settings, not fitted."""
        return models[self.model](**dict(self.settings))

    def __str__(self) -> str:
        return f"{self.model}({', '.join(f'{name}={value}' for name, value in self.settings)})"


def sample_candidates(models: Models, count: int, seed: int, ordered: bool = True) -> list[Candidate]:
    """Return the defaults of every model, then random settings for each model in turn, without duplicates.

    A larger `count` only appends candidates. The result is shorter than `count` if the search spaces are
    exhausted, but always includes the defaults of every model.
    """
    by_model = (_sample_model(model, seed + place, ordered) for place, model in enumerate(models.values()))
    rounds = chain.from_iterable(zip_longest(*by_model))
    return list(islice(filter(None, rounds), max(count, len(models))))


def neighbouring_candidates(candidate: Candidate, models: Models, ordered: bool = True) -> list[Candidate]:
    """Return candidates that differ in one setting: numbers by one step in `SPACE`, names by any value."""
    model = models[candidate.model]
    settings = dict(candidate.settings)
    neighbours = []
    for name, values in model.SPACE.items():
        near = [value for value in values if value != settings[name]]
        if settings[name] in values and not any(isinstance(value, str) for value in values):
            ascending = sorted(values)
            at = ascending.index(settings[name])
            near = [*ascending[max(0, at - 1) : at], *ascending[at + 1 : at + 2]]
        neighbours += [Candidate.of(model, settings | {name: value}, ordered) for value in near]
    return [each for each in dict.fromkeys(neighbours) if each != candidate]


FEW_HISTORIES, MANY_HISTORIES = 2_500, 20_000
"""The numbers of histories to learn an order from: for a first trial, and for promising hybrids."""


def hybrid_candidate(
    members: Sequence[Candidate], order: str, learned_from: int = FEW_HISTORIES
) -> Candidate:
    """Return a hybrid whose members are candidates of different models."""
    settings = members_text({each.model: dict(each.settings) for each in members})
    return Candidate.of(Hybrid, {"members": settings, "order": order, "learned_from": learned_from})


def neighbouring_hybrids(
    candidate: Candidate, others: Sequence[Candidate], models: Models, ordered: bool = True
) -> list[Candidate]:
    """Return hybrids with one member more or less, or with one setting of a member changed by one step."""
    settings = dict(candidate.settings)
    members = [
        Candidate(name, tuple(sorted(each.items()))) for name, each in json.loads(settings["members"]).items()
    ]
    names = {each.model for each in members}
    more = [[*members, each] for each in others if each.model not in names]
    less = [[each for each in members if each != removed] for removed in members] if len(members) > 2 else []
    changed = [
        [new if each == old else each for each in members]
        for old in members
        for new in neighbouring_candidates(old, models, ordered)
    ]
    return [
        hybrid_candidate(each, settings["order"], settings["learned_from"])
        for each in (*more, *less, *changed)
    ]


def _sample_model(model: type[Model], seed: int, ordered: bool) -> Iterator[Candidate]:
    rng = np.random.default_rng(seed)
    drawn = {Candidate.of(model, {}, ordered)}
    yield from drawn
    misses = 0
    while model.SPACE and misses < _MAX_MISSES:
        settings = {name: values[rng.integers(len(values))] for name, values in model.SPACE.items()}
        candidate = Candidate.of(model, settings, ordered)
        misses = misses + 1 if candidate in drawn else 0
        if not misses:
            drawn.add(candidate)
            yield candidate


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
    return np.asarray(np.where(best > 0, means / np.where(best > 0, best, 1.0), 1.0).min(axis=1))


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
    both = zip(first.values, second.values, strict=True)
    differences = [ours - theirs for ours, theirs in both if len(ours)]
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
