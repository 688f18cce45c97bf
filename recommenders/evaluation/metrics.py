"""Ranking metrics, computed for many lists at once.

Every metric takes `found`, bool [n, k]: whether the product at each place is relevant, and `sizes`, int64
[n]: the number of relevant products, at least 1. It returns one value from 0 to 1 per list: float64 [n].
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from common.errors import UserError
from recommenders.evaluation.sets import Flags, Floats
from recommenders.histories import Ints


def recall(found: Flags, sizes: Ints) -> Floats:
    """Return the share of the relevant products that are in the list."""
    share: Floats = found.sum(axis=1) / sizes
    return share


def precision(found: Flags, sizes: Ints) -> Floats:  # noqa: ARG001
    """Return the share of the list's k places with a relevant product."""
    share: Floats = found.mean(axis=1, dtype=np.float64)
    return share


def hit(found: Flags, sizes: Ints) -> Floats:  # noqa: ARG001
    """Return 1 if any listed product is relevant (hit rate; with one target, the P@k of session papers)."""
    any_right: Floats = found.any(axis=1).astype(np.float64)
    return any_right


def mrr(found: Flags, sizes: Ints) -> Floats:  # noqa: ARG001
    """Return 1 / the place of the first relevant product, or 0 (reciprocal rank: Voorhees, TREC-8, 1999)."""
    return np.where(found.any(axis=1), 1.0 / (found.argmax(axis=1) + 1.0), 0.0)


def average_precision(found: Flags, sizes: Ints) -> Floats:
    """Return the sum of the precisions at the places of the relevant products, divided by min(size, k).

    Source: Buckley and Voorhees, Evaluating Evaluation Measure Stability, SIGIR 2000; here for k places.
    """
    places = np.arange(1, found.shape[1] + 1)
    precisions = found.cumsum(axis=1) / places
    summed: Floats = (precisions * found).sum(axis=1) / np.minimum(sizes, found.shape[1])
    return summed


def ndcg(found: Flags, sizes: Ints) -> Floats:
    """Return the summed gains 1 / log2(place + 1) of relevant products, divided by those of an ideal list.

    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, TOIS 2002, with binary
    relevance.
    """
    gains = discounts(found.shape[1])
    best = np.concatenate([[0.0], gains.cumsum()])[np.minimum(sizes, found.shape[1])]
    share: Floats = (found @ gains) / best
    return share


def discounts(k: int) -> Floats:
    """Return the weight of each place: 1 / log2(place + 1), float64 [k]."""
    gains: Floats = 1.0 / np.log2(np.arange(2, k + 2))
    return gains


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
