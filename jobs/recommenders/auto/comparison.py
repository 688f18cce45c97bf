"""Fits models on the whole log and judges them side by side on the cases of the test."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.recommenders.auto.candidates import Candidate, Models
from jobs.recommenders.base import Model
from jobs.recommenders.evaluation.catalogue import CatalogueMetrics, catalogue_metrics
from jobs.recommenders.evaluation.evaluator import MetricValues
from jobs.recommenders.evaluation.intervals import Difference, Interval, difference
from jobs.recommenders.evaluation.loaders.dataset import Dataset
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.histories import Ints


@dataclass(frozen=True)
class ModelEvaluation:
    """One model on the test: part (`all`, `new`, `repeats`) → metric → figure; what lists show; seconds."""

    candidate: Candidate
    figures: Mapping[str, Mapping[str, Interval]]
    reach: CatalogueMetrics
    fit_s: float
    ask_s: float


@dataclass(frozen=True)
class ModelComparison:
    """A model, then what it is compared with; `differences`: its metrics less the others', by name."""

    evaluations: Sequence[ModelEvaluation]
    differences: Mapping[str, Mapping[str, Difference]]
    model: Model


@dataclass(frozen=True)
class EvaluationOptions:
    """How to judge: of which models, with which metrics, whether lists may `repeat` what a shopper knows."""

    models: Models
    metrics: Sequence[Metric]
    repeats: bool
    seed: int


def compare(
    dataset: Dataset,
    candidates: Sequence[Candidate],
    options: EvaluationOptions,
    on_progress: Callable[[str], None],
) -> ModelComparison:
    """Fit and judge candidates, the first against each other one on the same cases.

    Raises:
        UserError: a model can't be fitted on the log.
    """
    model, first, values = _fit_and_evaluate(dataset, candidates[0], options, on_progress)
    visits = None if dataset.visits is None else dataset.visits[values.rows]
    evaluations, differences = [first], {}
    for candidate in candidates[1:]:
        _, other, others = _fit_and_evaluate(dataset, candidate, options, on_progress)
        evaluations.append(other)
        differences[str(candidate)] = {
            str(metric): difference(values.by_metric[metric], others.by_metric[metric], options.seed, visits)
            for metric in options.metrics
        }
    return ModelComparison(evaluations, differences, model)


def _fit_and_evaluate(
    dataset: Dataset, candidate: Candidate, options: EvaluationOptions, on_progress: Callable[[str], None]
) -> tuple[Model, ModelEvaluation, MetricValues]:
    on_progress(f"fitting {candidate.model} on the whole log")
    began_s = time.monotonic()
    model = candidate.build(options.models).fit(dataset.log)
    fitted_s = time.monotonic()
    on_progress(f"judging {candidate.model}")
    ranked = dataset.cases.rank_with(model, max(metric.k for metric in options.metrics), options.repeats)
    ranked_s = time.monotonic()
    parts = dataset.cases.evaluate(ranked, options.metrics)
    shoppers = len(np.unique(dataset.log.shoppers))
    catalogue = catalogue_metrics(ranked, dataset.log.popularity.astype(np.int64), shoppers, dataset.sellers)
    figures = _figures(parts, options.seed, dataset.visits)
    return (
        model,
        ModelEvaluation(candidate, figures, catalogue, fitted_s - began_s, ranked_s - fitted_s),
        parts["all"],
    )


def _figures(
    parts: Mapping[str, MetricValues], seed: int, visits: Ints | None
) -> dict[str, dict[str, Interval]]:
    """Figures of all; of new products and repeats apart where both came."""
    both = all(len(values.rows) for values in parts.values())
    return {
        part: {str(metric): figure for metric, figure in values.figures(seed, visits).items()}
        for part, values in parts.items()
        if both or part == "all"
    }
