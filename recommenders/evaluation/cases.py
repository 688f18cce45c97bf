"""Test cases for fitted models: histories, and the products that followed. A data set has a log and cases."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recommenders.evaluation.metrics import Metric, MetricValues, evaluate_parts
from recommenders.evaluation.sets import Flags, ProductSets
from recommenders.histories import Codes, Histories, Ints, number_that_fit
from recommenders.interactions import Interactions
from recommenders.ranking import RankedLists

_ROWS = 256

MAX_HISTORY_EVENTS = 50_000_000
"""The largest number of events in the histories of `prefixes`: 1 GB while they are built."""


class ProductRanker(Protocol):
    """Ranks products for histories. Every model is a ranker."""

    @property
    def product_count(self) -> int:
        """The number of products in the catalogue."""

    def recommend(self, histories: Histories, k: int, excluded: Histories | None = None) -> RankedLists:
        """Return the k best products for each history, without the products in the same row of `excluded`."""


@dataclass(frozen=True)
class Cases:
    """One case per row: a history, and the set of products that followed it.

    `truth` may hold products that are not in the training data, whose codes may be above the catalogue's.
    They count as missed. `rankable`, int32 and ascending, limits the lists to these products; None means all.
    """

    histories: Histories
    truth: ProductSets
    rankable: Codes | None = None

    def __len__(self) -> int:
        return len(self.histories)

    def sample(self, limit: int, seed: int) -> "Cases":
        """Return at most `limit` random rows, in their original order."""
        if len(self) <= limit:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), limit, replace=False))
        return Cases(self.histories.take(rows), self.truth.take(rows), self.rankable)

    def rank_with(self, model: ProductRanker, k: int, repeats: bool) -> Codes:
        """Return the model's lists, int32 [rows, k]. Without `repeats`, they omit products of the history."""
        if self.rankable is None:
            return model.recommend(self.histories, k, None if repeats else self.histories).products
        others = np.setdiff1d(np.arange(model.product_count, dtype=np.int32), self.rankable)
        batches = (self.histories[at : at + _ROWS] for at in range(0, len(self), _ROWS))
        return np.concatenate(
            [model.recommend(each, k, Histories.of([others] * len(each))).products for each in batches]
        )

    def evaluate(self, ranked: Codes, metrics: Sequence[Metric]) -> Mapping[str, MetricValues]:
        """Return the metrics of the lists for the parts `all`, `new` and `repeats` of `evaluate_parts`."""
        known = ProductSets.of(self.histories.rows, self.histories.products, len(self))
        return evaluate_parts(ranked, self.truth, known, metrics)


@dataclass(frozen=True)
class EvaluationSplit:
    """A log to fit models on, and cases to evaluate them with. `name` describes what is held out."""

    name: str
    log: Interactions
    cases: Cases


def shoppers_held_out(
    log: Interactions, held: Flags, name: str, truth: Flags | None = None
) -> EvaluationSplit:
    """Hold out the `held` events, bool [events]. Each shopper with other events becomes a case.

    The other events are the log to fit on, and the histories of the cases. The held events are the truth. If
    `truth`, bool [events], selects some of the held events, the rest of the held events is dropped.

    Raises:
        UserError: every event is held out.
    """
    train = log.select_events(~held)
    lengths = train.histories.lengths
    is_truth = held if truth is None else truth
    shoppers = np.unique(log.shoppers[is_truth])
    shoppers = shoppers[lengths[shoppers] > 0]
    row_of = np.full(len(lengths), -1, dtype=np.int64)
    row_of[shoppers] = np.arange(len(shoppers))
    rows, products = row_of[log.shoppers[is_truth]], log.products[is_truth]
    truth_sets = ProductSets.of(rows[rows >= 0], products[rows >= 0], len(shoppers))
    return EvaluationSplit(name, train, Cases(train.histories.take(shoppers), truth_sets))


def sessions_held_out(log: Interactions, held: Flags, name: str) -> EvaluationSplit:
    """Hold out whole sessions: `held` is bool [events]. Their `prefixes` are the cases.

    Source of the protocol: Hidasi et al., Session-based Recommendations with Recurrent Neural Networks, ICLR
    2016.

    Raises:
        UserError: every event is held out.
    """
    return EvaluationSplit(name, log.select_events(~held), prefixes(log.select_events(held).sequences))


def prefixes(sequences: Histories) -> Cases:
    """Return a case for each event except the first of its sequence. The events before it are its history.

    The total length of the histories grows with the square of a sequence's length. If it would exceed
    `MAX_HISTORY_EVENTS`, only a random subset of the events becomes cases.
    """
    starts = np.repeat(sequences.indptr[:-1], sequences.lengths)
    targets = np.flatnonzero(np.arange(len(sequences.products)) > starts)
    targets = _limit_targets(targets, targets - starts[targets])
    truth = ProductSets(np.arange(len(targets) + 1, dtype=np.int64), sequences.products[targets])
    return Cases(sequences.before(targets), truth)


def _limit_targets(targets: Ints, lengths: Ints) -> Ints:
    if lengths.sum() <= MAX_HISTORY_EVENTS:
        return targets
    drawn = np.random.default_rng(0).permutation(len(targets))
    return targets[np.sort(drawn[: number_that_fit(lengths[drawn], MAX_HISTORY_EVENTS)])]


REPEATS = 0.02
"""Lists may show products of the history if at least this share of the log's events repeat a product."""


@dataclass(frozen=True)
class Dataset:
    """A log to fit the final model on, and the test cases that evaluate this model once, at the end.

    `validation_splits` maps a seed to the splits that settings are chosen on, cut from the log alone. `split`
    describes how the test cases were held out. `order` describes the order of the events, and what its check
    found. `notes` are remarks for the reader, for example about unknown ids.

    `confirmation_splits` maps a seed to other random splits, which the last stage of a search uses together;
    None means the same splits. Settings that only fit the first splits by chance don't win on these.

    `sellers` is the seller of each product, int32 [products], -1 if unknown. `visits` is the visit of each
    case, int64 [cases], or None if each case belongs to a different shopper.
    """

    log: Interactions
    cases: Cases
    split: str
    validation_splits: Callable[[int], Sequence[EvaluationSplit]]
    notes: Sequence[str] = ()
    confirmation_splits: Callable[[int], Sequence[EvaluationSplit]] | None = None
    sellers: Codes | None = None
    visits: Ints | None = None
    order: str = "by time"

    @property
    def repeats(self) -> bool:
        """Whether lists should show products of the history, because the log has many repeats."""
        return self.log.repeat_share >= REPEATS
