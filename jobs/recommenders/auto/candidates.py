"""What may be chosen: models with settings of their declared spaces."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

import numpy as np

from jobs.recommenders.base import Model
from jobs.recommenders.models.hybrid import Hybrid

Models = Mapping[str, type[Model]]

_MAX_MISSES = 20


@dataclass(frozen=True)
class Candidate:
    """A model and all its settings, (name, value) by name."""

    model: str
    settings: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, model: type[Model], changed: Mapping[str, Any]) -> "Candidate":
        """The model with its defaults but for what is changed."""
        return cls(model.NAME, tuple(sorted((model().settings | dict(changed)).items())))

    def build(self, models: Models) -> Model:
        """The model, not fitted yet."""
        return models[self.model](**dict(self.settings))

    def __str__(self) -> str:
        return f"{self.model}({', '.join(f'{name}={value}' for name, value in self.settings)})"


def sample_candidates(models: Models, count: int, seed: int) -> list[Candidate]:
    """The default of every model first, then settings at random, a model after the other, each once.

    The first n of a larger count are those of n. Fewer where the spaces have no more, never than models.
    """
    every = (_of_model(model, seed + place) for place, model in enumerate(models.values()))
    rounds = chain.from_iterable(zip_longest(*every))
    return list(_first(filter(None, rounds), max(count, len(models))))


def neighbouring_candidates(candidate: Candidate, models: Models) -> list[Candidate]:
    """What differs from a candidate in one setting: numbers by one step of their space, names by any."""
    model = models[candidate.model]
    settings = dict(candidate.settings)
    found = []
    for name, values in model.SPACE.items():
        near = [value for value in values if value != settings[name]]
        if settings[name] in values and not any(isinstance(value, str) for value in values):
            ladder = sorted(values)
            at = ladder.index(settings[name])
            near = [*ladder[max(0, at - 1) : at], *ladder[at + 1 : at + 2]]
        found += [Candidate.of(model, settings | {name: value}) for value in near]
    return found


FEW_HISTORIES, MANY_HISTORIES = 2_500, 10_000
"""Histories that an order is learned from: to see whether it is worth it, and then."""


def hybrid_candidate(
    members: Sequence[Candidate], order: str, learned_from: int = FEW_HISTORIES
) -> Candidate:
    """The hybrid of some candidates, each of another model, with one of its orders."""
    said = {each.model: dict(each.settings) for each in members}
    changed = {"members": json.dumps(said, sort_keys=True), "order": order, "learned_from": learned_from}
    return Candidate.of(Hybrid, changed)


def neighbouring_hybrids(
    candidate: Candidate, others: Sequence[Candidate], models: Models
) -> list[Candidate]:
    """What is one step away from a hybrid: another member, one less, or one setting of a member."""
    settings = dict(candidate.settings)
    members = [
        Candidate(name, tuple(sorted(each.items()))) for name, each in json.loads(settings["members"]).items()
    ]
    there = {each.model for each in members}
    more = [[*members, each] for each in others if each.model not in there]
    less = [[each for each in members if each != left] for left in members] if len(members) > 2 else []
    changed = [
        [near if each == old else each for each in members]
        for old in members
        for near in neighbouring_candidates(old, models)
    ]
    near = [*more, *less, *changed]
    return [hybrid_candidate(each, settings["order"], settings["learned_from"]) for each in near]


def _of_model(model: type[Model], seed: int) -> Iterator[Candidate]:
    rng = np.random.default_rng(seed)
    seen = {Candidate.of(model, {})}
    yield from seen
    misses = 0
    while model.SPACE and misses < _MAX_MISSES:
        settings = {name: values[rng.integers(len(values))] for name, values in model.SPACE.items()}
        candidate = Candidate.of(model, settings)
        if candidate in seen:
            misses += 1
            continue
        misses = 0
        seen.add(candidate)
        yield candidate


def _first(candidates: Iterable[Candidate], count: int) -> Iterator[Candidate]:
    return (candidate for candidate, _ in zip(candidates, range(count), strict=False))
