"""How good a ranked list is for one shopper, for all shoppers at once.

Every metric takes `found`, bool [n, k]: whether what stands at each place was right, and `sizes`, int64 [n]:
how many products were right at all, each at least 1. It gives float64 [n], each in 0 … 1.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from common.errors import UserError
from jobs.recommenders.evaluation.sets import Flags, Floats
from jobs.recommenders.histories import Ints


def recall(found: Flags, sizes: Ints) -> Floats:
    """The share of what was right that the list has."""
    share: Floats = found.sum(axis=1) / sizes
    return share


def precision(found: Flags, sizes: Ints) -> Floats:  # noqa: ARG001
    """The share of the list's k places that are right."""
    share: Floats = found.mean(axis=1, dtype=np.float64)
    return share


def hit(found: Flags, sizes: Ints) -> Floats:  # noqa: ARG001
    """1 if anything in the list is right (hit rate; with one target, the P@k of session papers)."""
    any_right: Floats = found.any(axis=1).astype(np.float64)
    return any_right


def mrr(found: Flags, sizes: Ints) -> Floats:  # noqa: ARG001
    """1 / the place of the first that is right, else 0 (reciprocal rank: Voorhees, TREC-8, 1999)."""
    return np.where(found.any(axis=1), 1.0 / (found.argmax(axis=1) + 1.0), 0.0)


def average_precision(found: Flags, sizes: Ints) -> Floats:
    """The mean over what was right of the precision at its place, with min(size, k) as the most there can be.

    Source: Buckley and Voorhees, Evaluating Evaluation Measure Stability, SIGIR 2000; cut at k.
    """
    places = np.arange(1, found.shape[1] + 1)
    precisions = found.cumsum(axis=1) / places
    summed: Floats = (precisions * found).sum(axis=1) / np.minimum(sizes, found.shape[1])
    return summed


def ndcg(found: Flags, sizes: Ints) -> Floats:
    """The gain 1 / log2(place + 1) of what is right, over that of the best possible list.

    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, TOIS 2002, binary.
    """
    gains = discounts(found.shape[1])
    best = np.concatenate([[0.0], gains.cumsum()])[np.minimum(sizes, found.shape[1])]
    share: Floats = (found @ gains) / best
    return share


def discounts(k: int) -> Floats:
    """What each place is worth: 1 / log2(place + 1), float64 [k]."""
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
"""Name → metric. `hr` is another name of `hit`."""


@dataclass(frozen=True, order=True)
class Metric:
    """A metric at a cut: `recall@20`."""

    name: str
    k: int

    @classmethod
    def parse(cls, text: str) -> "Metric":
        """A metric as it is written.

        Raises:
            UserError: there is no such metric, or no cut.
        """
        matched = re.fullmatch(r"([a-z]+)@([1-9]\d{0,3})", text.strip().lower())
        name = {"hr": "hit"}.get(matched[1], matched[1]) if matched else ""
        if not matched or name not in METRICS:
            raise UserError(f"{text!r} is no metric: write {', '.join(f'{each}@20' for each in METRICS)}")
        return cls(name, int(matched[2]))

    def of(self, found: Flags, sizes: Ints) -> Floats:
        """The metric's values; of longer lists, the first k places count.

        Raises:
            ValueError: the lists are shorter than k.
        """
        if found.shape[1] < self.k:
            raise ValueError(f"{self} of lists of {found.shape[1]}")
        return METRICS[self.name](found[:, : self.k], sizes)

    def __str__(self) -> str:
        return f"{self.name}@{self.k}"


def parse_metrics(text: str) -> tuple[Metric, ...]:
    """Metrics with commas between them, each once.

    Raises:
        UserError: one of them can't be read, or there is none.
    """
    found = tuple(dict.fromkeys(Metric.parse(each) for each in text.split(",") if each.strip()))
    if not found:
        raise UserError("name a metric: --metrics recall@20,ndcg@20")
    return found
