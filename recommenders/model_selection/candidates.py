"""Candidates of the search: models with settings from their search spaces."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

import numpy as np

from recommenders.base import Model
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
    return list(_first(filter(None, rounds), max(count, len(models))))


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
    changed = {
        "members": members_text({each.model: dict(each.settings) for each in members}),
        "order": order,
        "learned_from": learned_from,
    }
    return Candidate.of(Hybrid, changed)


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
        if candidate in drawn:
            misses += 1
            continue
        misses = 0
        drawn.add(candidate)
        yield candidate


def _first(candidates: Iterable[Candidate], count: int) -> Iterator[Candidate]:
    return (candidate for candidate, _ in zip(candidates, range(count), strict=False))
