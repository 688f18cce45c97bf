"""Fits models on the whole log and judges them side by side on the cases of the test."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.recommenders.auto.candidates import Candidate, Models
from jobs.recommenders.base import Model
from jobs.recommenders.evaluation.catalogue import Reach, reach
from jobs.recommenders.evaluation.intervals import Difference, Interval, difference
from jobs.recommenders.evaluation.judge import Values
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.evaluation.read.brought import Brought
from jobs.recommenders.histories import Ints


@dataclass(frozen=True)
class Judged:
    """One model on the test: part (`all`, `new`, `repeats`) → metric → figure; what lists show; seconds."""

    candidate: Candidate
    figures: Mapping[str, Mapping[str, Interval]]
    reach: Reach
    fit_s: float
    ask_s: float


@dataclass(frozen=True)
class Compared:
    """A model, then what it is compared with; `differences`: its metrics less the others', by name."""

    judged: Sequence[Judged]
    differences: Mapping[str, Mapping[str, Difference]]
    model: Model


@dataclass(frozen=True)
class Asked:
    """How to judge: of which models, with which metrics, whether lists may `repeat` what a shopper knows."""

    models: Models
    metrics: Sequence[Metric]
    repeats: bool
    seed: int


def compare(
    brought: Brought, candidates: Sequence[Candidate], asked: Asked, on_progress: Callable[[str], None]
) -> Compared:
    """Fit and judge candidates, the first against each other one on the same cases.

    Raises:
        UserError: a model can't be fitted on the log.
    """
    model, first, values = _fit_and_judge(brought, candidates[0], asked, on_progress)
    visits = None if brought.visits is None else brought.visits[values.rows]
    judged, differences = [first], {}
    for candidate in candidates[1:]:
        _, other, others = _fit_and_judge(brought, candidate, asked, on_progress)
        judged.append(other)
        differences[str(candidate)] = {
            str(metric): difference(values.by_metric[metric], others.by_metric[metric], asked.seed, visits)
            for metric in asked.metrics
        }
    return Compared(judged, differences, model)


def _fit_and_judge(
    brought: Brought, candidate: Candidate, asked: Asked, on_progress: Callable[[str], None]
) -> tuple[Model, Judged, Values]:
    on_progress(f"fitting {candidate.model} on the whole log")
    began_s = time.monotonic()
    model = candidate.build(asked.models).fit(brought.log)
    fitted_s = time.monotonic()
    on_progress(f"judging {candidate.model}")
    ranked = brought.cases.ask(model, max(metric.k for metric in asked.metrics), asked.repeats)
    asked_s = time.monotonic()
    parts = brought.cases.judge(ranked, asked.metrics)
    shoppers = len(np.unique(brought.log.shoppers))
    shown = reach(ranked, brought.log.popularity.astype(np.int64), shoppers, brought.sellers)
    figures = _figures(parts, asked.seed, brought.visits)
    return model, Judged(candidate, figures, shown, fitted_s - began_s, asked_s - fitted_s), parts["all"]


def _figures(parts: Mapping[str, Values], seed: int, visits: Ints | None) -> dict[str, dict[str, Interval]]:
    """Figures of all; of new products and repeats apart where both came."""
    both = all(len(values.rows) for values in parts.values())
    return {
        part: {str(metric): figure for metric, figure in values.figures(seed, visits).items()}
        for part, values in parts.items()
        if both or part == "all"
    }
