"""Ranking metrics, computed for many lists at once, and metrics of all lists together.

Every function of `METRICS` takes `found`, bool [n, k]: whether the product at each place is relevant, and
`sizes`, int64 [n]: the number of relevant products, at least 1. It returns one value from 0 to 1 per list:
float64 [n]. Metrics of all lists are coverage of the catalogue, novelty, popularity, and exposure of sellers.

Lists are int32 [n, k]. Lists with fewer than k products end with -1. All products are ranked. Metrics on
sampled negatives can order models differently (Krichene and Rendle, On Sampled Metrics for Item
Recommendation, KDD 2020).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.errors import UserError
from recommenders.evaluation.intervals import Interval, interval
from recommenders.evaluation.sets import Flags, Floats, Numbers, ProductSets
from recommenders.histories import Codes, Ints


def recall(found: Flags, sizes: Ints) -> Floats:
    """Return the share of the relevant products that are in the list."""
    return np.asarray(found.sum(axis=1) / sizes)


def precision(found: Flags, sizes: Ints) -> Floats:  # noqa: ARG001
    """Return the share of the list's k places with a relevant product."""
    return np.asarray(found.mean(axis=1, dtype=np.float64))


def hit(found: Flags, sizes: Ints) -> Floats:  # noqa: ARG001
    """Return 1 if any listed product is relevant (hit rate; with one target, the P@k of session papers)."""
    return np.asarray(found.any(axis=1), np.float64)


def mrr(found: Flags, sizes: Ints) -> Floats:  # noqa: ARG001
    """Return 1 / the place of the first relevant product, or 0 (reciprocal rank: Voorhees, TREC-8, 1999)."""
    return np.where(found.any(axis=1), 1.0 / (found.argmax(axis=1) + 1.0), 0.0)


def average_precision(found: Flags, sizes: Ints) -> Floats:
    """Return the sum of the precisions at the places of the relevant products, divided by min(size, k).

    Source: Buckley and Voorhees, Evaluating Evaluation Measure Stability, SIGIR 2000; here for k places.
    """
    precisions = found.cumsum(axis=1) / np.arange(1, found.shape[1] + 1)
    return np.asarray((precisions * found).sum(axis=1) / np.minimum(sizes, found.shape[1]))


def ndcg(found: Flags, sizes: Ints) -> Floats:
    """Return the summed gains 1 / log2(place + 1) of relevant products, divided by those of an ideal list.

    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, TOIS 2002, with binary
    relevance.
    """
    gains = discounts(found.shape[1])
    best = np.concatenate([[0.0], gains.cumsum()])[np.minimum(sizes, found.shape[1])]
    return np.asarray((found @ gains) / best)


def discounts(k: int) -> Floats:
    """Return the weight of each place: 1 / log2(place + 1), float64 [k]."""
    return np.asarray(1.0 / np.log2(np.arange(2, k + 2)))


METRICS: dict[str, Callable[[Flags, Ints], Floats]] = {
    "recall": recall,
    "precision": precision,
    "hit": hit,
    "mrr": mrr,
    "map": average_precision,
    "ndcg": ndcg,
}
"""All metrics by name. `Metric.parse` also accepts `hr` for `hit`."""


@dataclass(frozen=True, order=True)
class Metric:
    """A metric of the first k places, such as `recall@20`."""

    name: str
    k: int

    @classmethod
    def parse(cls, text: str) -> "Metric":
        """Parse a metric such as `recall@20`.

        Raises:
            UserError: the metric is unknown, or the text has no valid k.
        """
        matched = re.fullmatch(r"([a-z]+)@([1-9]\d{0,3})", text.strip().lower())
        name = {"hr": "hit"}.get(matched[1], matched[1]) if matched else ""
        if not matched or name not in METRICS:
            raise UserError(f"{text!r} is not a metric: write {', '.join(f'{each}@20' for each in METRICS)}")
        return cls(name, int(matched[2]))

    def of(self, found: Flags, sizes: Ints) -> Floats:
        """Return the metric of each list's first k places.

        Raises:
            ValueError: the lists are shorter than k.
        """
        if found.shape[1] < self.k:
            raise ValueError(f"{self} of lists of {found.shape[1]}")
        return METRICS[self.name](found[:, : self.k], sizes)

    def __str__(self) -> str:
        return f"{self.name}@{self.k}"


def parse_metrics(text: str) -> tuple[Metric, ...]:
    """Parse comma-separated metrics. Duplicates are dropped.

    Raises:
        UserError: a metric can't be parsed, or there is none.
    """
    found = tuple(dict.fromkeys(Metric.parse(each) for each in text.split(",") if each.strip()))
    if not found:
        raise UserError("name a metric: --metrics recall@20,ndcg@20")
    return found


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
    return _metric_values(truth.contains(ranked), truth, metrics)


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
        "all": _metric_values(found, truth, metrics),
        "new": _metric_values(found & ~repeated, truth.without(known), metrics),
        "repeats": _metric_values(found & repeated, truth.common(known), metrics),
    }


def _metric_values(found: Flags, truth: ProductSets, metrics: Sequence[Metric]) -> MetricValues:
    rows = np.flatnonzero(truth.sizes)
    sizes = truth.sizes[rows]
    return MetricValues(rows, {metric: metric.of(found[rows], sizes) for metric in metrics})


def _check(ranked: Codes) -> None:
    if (ranked[:, 1:][ranked[:, :-1] < 0] >= 0).any():
        raise ValueError("a list holds a product after a -1")
    ordered = np.sort(ranked, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("a list holds a product twice")


@dataclass(frozen=True)
class CatalogueMetrics:
    """Metrics of all lists together. The metrics of sellers are None if no seller is known."""

    coverage: float
    """The share of all products that appear in at least one list."""
    novelty: float
    """The mean of −log2 of the share of shoppers who know a listed product, in bits.

    A product that no shopper knows counts as known by one shopper.
    Source: Vargas and Castells, Rank and Relevance in Novelty and Diversity Metrics, RecSys 2011.
    """
    popularity_lift: float
    """How much more popular listed products are than those of the log: 0 is equal, 1 is twice as popular.

    Source: Abdollahpouri et al., The Unfairness of Popularity Bias in Recommendation, RMSE 2019.
    """
    seller_gini: float | None
    """The Gini coefficient of the sellers' exposure: 0 if it is equal, near 1 if one seller has it all.

    A place gives an exposure of 1 / log2(place + 1)
    (Singh and Joachims, Fairness of Exposure in Rankings, KDD 2018).
    """
    sellers_seen: float | None
    """The share of sellers with a product in at least one list."""


def catalogue_metrics(
    lists: Codes, buyers: Numbers, shopper_count: int, sellers: Codes | None = None
) -> CatalogueMetrics:
    """Return the metrics of `lists`.

    Args:
        lists: int32 [n, k].
        buyers: the number of shoppers with an event of each product: [products].
        shopper_count: the number of shoppers in the log.
        sellers: the seller of each product: int32 [products], numbered from 0, -1 if unknown.
    """
    shown = lists[lists >= 0]
    known = buyers.astype(np.float64)
    exposure = None if sellers is None else seller_exposure(lists, sellers)
    return CatalogueMetrics(
        coverage=len(np.unique(shown)) / len(known),
        novelty=float(-np.log2(np.maximum(known[shown], 1.0) / shopper_count).mean()) if len(shown) else 0.0,
        popularity_lift=_lift(known, shown),
        seller_gini=None if exposure is None else gini(exposure),
        sellers_seen=None if exposure is None else float((exposure > 0).mean()),
    )


def seller_exposure(lists: Codes, sellers: Codes) -> Floats:
    """Return the summed exposure of each seller's products: float64 [sellers]."""
    exposures = np.broadcast_to(discounts(lists.shape[1]), lists.shape)[lists >= 0]
    seller = sellers[lists[lists >= 0]]
    exposure = np.bincount(seller[seller >= 0], exposures[seller >= 0], int(sellers.max()) + 1)
    return exposure.astype(np.float64)


def gini(amounts: Floats) -> float:
    """Return the Gini coefficient of amounts ≥ 0; 0 if all amounts are 0.

    Source: Gini, Variabilità e mutabilità, 1912, computed from the ranks of the sorted amounts.
    """
    total, count = amounts.sum(), len(amounts)
    if not total:
        return 0.0
    ranked = np.arange(1, count + 1) @ np.sort(amounts)
    return float(2 * ranked / (count * total) - (count + 1) / count)


def _lift(known: Floats, shown: Codes) -> float:
    if not len(shown) or not known.any():
        return 0.0
    mean_popularity = (known @ known) / known.sum()
    return float(known[shown].mean() / mean_popularity - 1)
