"""Fits models on the whole log and compares them on the test cases."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommenders.base import Model
from recommenders.evaluation.cases import Dataset
from recommenders.evaluation.intervals import Interval, PairedDifference, difference
from recommenders.evaluation.metrics import CatalogueMetrics, Metric, MetricValues, catalogue_metrics
from recommenders.histories import Ints
from recommenders.model_selection.candidates import Candidate, Models


@dataclass(frozen=True)
class ModelEvaluation:
    """The test results of one model. `figures` maps part (`all`, `new`, `repeats`) → metric → value.

    `reach` holds the metrics of all lists together. `fit_s` and `ask_s` are the seconds to fit and predict.
    """

    candidate: Candidate
    figures: Mapping[str, Mapping[str, Interval]]
    reach: CatalogueMetrics
    fit_s: float
    ask_s: float


@dataclass(frozen=True)
class ModelComparison:
    """The fitted `model`, its evaluation, and then the evaluations of the models to compare with.

    `differences` maps each other candidate, as text, and each metric to the model's value minus the other's.
    """

    evaluations: Sequence[ModelEvaluation]
    differences: Mapping[str, Mapping[str, PairedDifference]]
    model: Model


@dataclass(frozen=True)
class EvaluationOptions:
    """The available models, and how to evaluate. With `repeats`, lists may hold products of the history."""

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
    """Fit and evaluate candidates, and compare the first one with each other one on the same cases.

    Raises:
        UserError: a model can't be fitted on the log.
    """
    model, evaluation, values = _fit_and_evaluate(dataset, candidates[0], options, on_progress)
    visits = None if dataset.visits is None else dataset.visits[values.rows]
    evaluations, differences = [evaluation], {}
    for candidate in candidates[1:]:
        _, evaluation, other_values = _fit_and_evaluate(dataset, candidate, options, on_progress)
        evaluations.append(evaluation)
        differences[str(candidate)] = {
            str(metric): difference(
                values.by_metric[metric], other_values.by_metric[metric], options.seed, visits
            )
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
    on_progress(f"evaluating {candidate.model}")
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
    """Return the figures by part and metric. Leaves out `new` and `repeats` unless both have cases."""
    both = all(len(values.rows) for values in parts.values())
    return {
        part: {str(metric): figure for metric, figure in values.figures(seed, visits).items()}
        for part, values in parts.items()
        if both or part == "all"
    }
