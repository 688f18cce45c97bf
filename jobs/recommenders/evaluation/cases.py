"""What is asked of a fitted model, and what would have been right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from jobs.recommenders.evaluation.evaluator import MetricValues, evaluate_parts
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.evaluation.sets import Flags, ProductSets
from jobs.recommenders.histories import Histories, Ints
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.ragged import indptr_from_lengths, run_indices
from jobs.recommenders.ranking import RankedLists
from jobs.recommenders.vocabulary import Codes

_ROWS = 256

MAX_HISTORY_EVENTS = 50_000_000
"""Events in the histories of cases of visits: 1 GB while they are made."""


class ProductRanker(Protocol):
    """Whatever ranks products for histories: every model does."""

    @property
    def product_count(self) -> int:
        """Products of the catalogue."""

    def recommend(self, histories: Histories, k: int, excluded: Histories | None = None) -> RankedLists:
        """The k best products for each history, without those of the same row of `excluded`."""


@dataclass(frozen=True)
class Cases:
    """Row r: a history, and the products that came after it.

    A product of `truth` that training never saw counts, and is missed; its code may be past the catalogue's.
    Lists are of all products, or of those `rankable` which to rank: int32, ascending.
    """

    histories: Histories
    truth: ProductSets
    rankable: Codes | None = None

    def __len__(self) -> int:
        return len(self.histories)

    def sample(self, limit: int, seed: int) -> "Cases":
        """At most so many rows, drawn at random, in their order."""
        if len(self) <= limit:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), limit, replace=False))
        return Cases(self.histories.take(rows), self.truth.take(rows), self.rankable)

    def rank_with(self, model: ProductRanker, k: int, repeats: bool) -> Codes:
        """The model's lists, int32 [rows, k]; without `repeats`, none has what its history has."""
        if self.rankable is None:
            return model.recommend(self.histories, k, None if repeats else self.histories).products
        others = np.setdiff1d(np.arange(model.product_count, dtype=np.int32), self.rankable)
        lists = [
            model.recommend(some, k, Histories.of([others] * len(some))).products
            for some in (self.histories[at : at + _ROWS] for at in range(0, len(self), _ROWS))
        ]
        return np.concatenate(lists)

    def evaluate(self, ranked: Codes, metrics: Sequence[Metric]) -> Mapping[str, MetricValues]:
        """What the metrics say of lists: `all`, and `new` and `repeats` apart."""
        known = ProductSets.of(self.histories.rows, self.histories.products, len(self))
        return evaluate_parts(ranked, self.truth, known, metrics)


@dataclass(frozen=True)
class EvaluationSplit:
    """A log to fit on, and the cases to judge with; `name` says how they were cut."""

    name: str
    log: Interactions
    cases: Cases


def shoppers_held_out(
    log: Interactions, held: Flags, name: str, truth: Flags | None = None
) -> EvaluationSplit:
    """The held events (bool [events]) of each shopper as the truth; the others to fit on, and as history.

    If only some of those held are the `truth`, bool [events], the rest is in neither. Shoppers without
    another event are left out of the cases.

    Raises:
        UserError: every event is held.
    """
    kept = log.select_events(~held)
    lengths = kept.histories.lengths
    right = held if truth is None else truth
    shoppers = np.unique(log.shoppers[right])
    shoppers = shoppers[lengths[shoppers] > 0]
    row_of = np.full(len(lengths), -1, dtype=np.int64)
    row_of[shoppers] = np.arange(len(shoppers))
    rows, products = row_of[log.shoppers[right]], log.products[right]
    came = ProductSets.of(rows[rows >= 0], products[rows >= 0], len(shoppers))
    return EvaluationSplit(name, kept, Cases(kept.histories.take(shoppers), came))


def sessions_held_out(log: Interactions, held: Flags, name: str) -> EvaluationSplit:
    """Every event of a held session but its first as the truth of a case; what came before as its history.

    `held` is bool [events], whole sessions. Source of the protocol: Hidasi et al., Session-based
    Recommendations with Recurrent Neural Networks, ICLR 2016.

    Raises:
        UserError: every event is held.
    """
    return EvaluationSplit(name, log.select_events(~held), prefixes(log.select_events(held).sequences))


def prefixes(sequences: Histories) -> Cases:
    """Each event of a sequence but the first as a target, after all before it.

    Histories of one sequence grow with the square of its length: where they would hold more than
    `MAX_HISTORY_EVENTS` events in all, targets are drawn at random, as many as fit.
    """
    starts = np.repeat(sequences.indptr[:-1], sequences.lengths)
    targets = np.flatnonzero(np.arange(len(sequences.products)) > starts)
    targets = _limit_targets(targets, targets - starts[targets])
    lengths = targets - starts[targets]
    before = run_indices(starts[targets], lengths)
    histories = Histories(indptr_from_lengths(lengths), sequences.products[before], sequences.weights[before])
    truth = ProductSets(np.arange(len(targets) + 1, dtype=np.int64), sequences.products[targets])
    return Cases(histories, truth)


def _limit_targets(targets: Ints, lengths: Ints) -> Ints:
    if lengths.sum() <= MAX_HISTORY_EVENTS:
        return targets
    drawn = np.random.default_rng(0).permutation(len(targets))
    fitting = drawn[
        : max(1, int(np.searchsorted(np.cumsum(lengths[drawn]), MAX_HISTORY_EVENTS, side="right")))
    ]
    return targets[np.sort(fitting)]
