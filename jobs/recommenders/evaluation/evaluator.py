"""Judges ranked lists against what really came: full lists over all products, never sampled negatives.

Sampled negatives order models differently from what shoppers see (Krichene and Rendle, On Sampled Metrics for
Item Recommendation, KDD 2020).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.recommenders.evaluation.intervals import Interval, interval
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.evaluation.sets import Flags, Floats, ProductSets
from jobs.recommenders.histories import Ints
from jobs.recommenders.vocabulary import Codes


@dataclass(frozen=True)
class MetricValues:
    """What each metric says of each row that had anything to find; other rows are left out.

    `rows` is int64 [judged]; `by_metric` maps a metric to float64 [judged].
    """

    rows: Ints
    by_metric: Mapping[Metric, Floats]

    def figures(self, seed: int, visits: Ints | None = None) -> dict[Metric, Interval]:
        """Each metric's mean and interval over the rows, or over the visits (int64, one for every row)."""
        groups = None if visits is None else visits[self.rows]
        return {metric: interval(values, seed, groups) for metric, values in self.by_metric.items()}


def evaluate_lists(ranked: Codes, truth: ProductSets, metrics: Sequence[Metric]) -> MetricValues:
    """Judge `ranked`, int32 [n, k], best first and padded with -1, against the sets of the same n rows.

    What `truth` holds and no list could show (a product that training never saw) counts as missed.

    Raises:
        ValueError: k is less than a metric's cut, a list names a product twice, or goes on after a -1.
    """
    _check(ranked)
    return _values(truth.contains(ranked), truth, metrics)


def evaluate_parts(
    ranked: Codes, truth: ProductSets, known: ProductSets, metrics: Sequence[Metric]
) -> dict[str, MetricValues]:
    """`all`, and apart from each other `new` (what the shopper did not know) and `repeats` (what they did).

    Each part looks for its own share of `truth` in the same lists, at the same places.

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
        raise ValueError("a list goes on after a -1")
    ordered = np.sort(ranked, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("a list names a product twice")
