"""Evaluates ranked lists against the products that followed.

All products are ranked. Metrics on sampled negatives can order models differently (Krichene and Rendle, On
Sampled Metrics for Item Recommendation, KDD 2020).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommenders.evaluation.intervals import Interval, interval
from recommenders.evaluation.metrics import Metric
from recommenders.evaluation.sets import Flags, Floats, ProductSets
from recommenders.histories import Ints
from recommenders.vocabulary import Codes


@dataclass(frozen=True)
class MetricValues:
    """The values of each metric for the rows whose truth is not empty.

    `rows` holds the numbers of these rows: int64 [evaluated]. `by_metric` maps a metric to float64
    [evaluated].
    """

    rows: Ints
    by_metric: Mapping[Metric, Floats]

    def figures(self, seed: int, visits: Ints | None = None) -> dict[Metric, Interval]:
        """Return each metric's mean with an interval over the rows, or over visits: int64 [all rows]."""
        groups = None if visits is None else visits[self.rows]
        return {metric: interval(values, seed, groups) for metric, values in self.by_metric.items()}


def evaluate_lists(ranked: Codes, truth: ProductSets, metrics: Sequence[Metric]) -> MetricValues:
    """Evaluate `ranked`, int32 [n, k], best first and padded with -1, against the sets of the same n rows.

    Products of `truth` that are not in the training data count as missed.

    Raises:
        ValueError: k is less than a metric's k, a list holds a product twice, or a product after a -1.
    """
    _check(ranked)
    return _values(truth.contains(ranked), truth, metrics)


def evaluate_parts(
    ranked: Codes, truth: ProductSets, known: ProductSets, metrics: Sequence[Metric]
) -> dict[str, MetricValues]:
    """Evaluate the parts `all`, `new` (products that are not `known`) and `repeats` (`known` products).

    Each part evaluates the same lists, but only against its own products of `truth`.

    Raises:
        ValueError: as `evaluate_lists`.
    """
    _check(ranked)
    found = truth.contains(ranked)
    repeated = known.contains(ranked)
    return {
        "all": _values(found, truth, metrics),
        "new": _values(found & ~repeated, truth.without(known), metrics),
        "repeats": _values(found & repeated, truth.common(known), metrics),
    }


def _values(found: Flags, truth: ProductSets, metrics: Sequence[Metric]) -> MetricValues:
    rows = np.flatnonzero(truth.sizes)
    sizes = truth.sizes[rows]
    return MetricValues(rows, {metric: metric.of(found[rows], sizes) for metric in metrics})


def _check(ranked: Codes) -> None:
    if (ranked[:, 1:][ranked[:, :-1] < 0] >= 0).any():
        raise ValueError("a list holds a product after a -1")
    ordered = np.sort(ranked, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("a list holds a product twice")
