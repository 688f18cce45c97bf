"""The interaction log: events of shoppers and products in columns, oldest first.

The ages of events and the trend of products are relative to the length of the log. So settings mean the same
in a log of one day and in a log of one year.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from common.errors import UserError
from recommenders.histories import Codes, Floats, Histories, Ints
from recommenders.sparse import with_values
from recommenders.vocabulary import Column, Vocabulary

DAY_S = 86_400

ORDER_SEED = 5_881_763
"""The seed of the random order of a log without an order.

It differs from the seeds of users: the same seed would draw the same permutation again, for example to hold
events out, and these would not be random any more.
"""

YEARS_1_TO_9999_S = (-62_135_596_800, 253_402_300_800)
"""The range of valid times in Unix seconds. Current times in milliseconds are above it."""


@dataclass(frozen=True)
class Interactions:
    """Events, oldest first, and the ids of their codes. Without an order, the events are in random order.

    `ordered` tells whether the order of each shopper's events is known: nothing may depend on it otherwise.
    `chronological` tells whether also the order of different shoppers' events is known.

    Arrays of length [events]: `shoppers`, `products` and `sessions` are int32 codes, `weights` float32 > 0,
    `times` int64 (Unix seconds). `product_vocabulary` may hold products that have no event. `attributes`
    counts the attributes and words of each product: CSR float32 [products, attributes]. `categories` is int32
    [products], -1 for products without a category.
    """

    shoppers: Codes
    products: Codes
    weights: Floats
    times: Ints | None
    sessions: Codes | None
    shopper_vocabulary: Vocabulary
    product_vocabulary: Vocabulary
    attributes: csr_array | None = None
    categories: Codes | None = None
    ordered: bool = True
    chronological: bool = True

    def __len__(self) -> int:
        return len(self.products)

    @property
    def product_count(self) -> int:
        """The number of products in the catalogue, with or without events."""
        return len(self.product_vocabulary)

    @cached_property
    def histories(self) -> Histories:
        """The history of each shopper, in the order of the shopper codes."""
        return Histories.grouped(self.shoppers, len(self.shopper_vocabulary), self.products, self.weights)

    @cached_property
    def sequences(self) -> Histories:
        """The events of each session. Sessions are in the order of their last events.

        Without sessions, the events of each shopper form one sequence. If the log has no times either, the
        sequences are in the order of the shopper codes, or in random order if the log has no order.
        """
        rows = self._sequence_rows
        return Histories.grouped(rows, int(rows.max()) + 1, self.products, self.weights)

    @cached_property
    def sequence_events(self) -> Ints:
        """The index in the log of each event of `sequences`, int64 [events]."""
        return np.argsort(self._sequence_rows, kind="stable")

    @cached_property
    def _sequence_rows(self) -> Ints:
        groups = self.shoppers if self.sessions is None else self.sessions
        if self.sessions is None and self.times is None:
            distinct, rows = np.unique(groups, return_inverse=True)
            return (
                rows if self.ordered else np.random.default_rng(ORDER_SEED).permutation(len(distinct))[rows]
            )
        last = np.full(int(groups.max()) + 1, -1, np.int64)
        np.maximum.at(last, groups, np.arange(len(groups)))
        found = np.flatnonzero(last >= 0)
        place = np.zeros(len(last), np.int64)
        place[found[np.argsort(last[found])]] = np.arange(len(found))
        return place[groups]

    @cached_property
    def matrix(self) -> csr_array:
        """The summed weights of the events of each shopper and product: CSR float32 [shoppers, products]."""
        return self.histories.matrix(self.product_count)

    @cached_property
    def affinity(self) -> csr_array:
        """log2(1 + `matrix`), so that each repeated event adds less: CSR float32 [shoppers, products]."""
        return with_values(self.matrix, np.log2(1.0 + self.matrix.data).astype(np.float32))

    @cached_property
    def popularity(self) -> Floats:
        """The number of distinct shoppers of each product, float32 [products]."""
        return np.bincount(self.matrix.indices, minlength=self.product_count).astype(np.float32)

    @cached_property
    def repeat_share(self) -> float:
        """The share of events with a product that occurs earlier in the same sequence."""
        pairs = self.sequences.rows * self.product_count + self.sequences.products
        return float(1 - len(np.unique(pairs)) / len(pairs))

    @cached_property
    def ages(self) -> NDArray[np.float64]:
        """Days from each event to the newest event, float64 [events]. Without times, all ages are 0."""
        if self.times is None:
            return np.zeros(len(self))
        return np.asarray((self.times.max() - self.times) / DAY_S)

    def without_order(self) -> "Interactions":
        """Return the same events in a random order, the same for the same events, with no order and no times.

        Sessions are left out, too, because they are runs of consecutive events.
        """
        given = np.lexsort((self.weights, self.products, self.shoppers))
        order = given[np.random.default_rng(ORDER_SEED).permutation(len(given))]
        events = self.take(order)
        return replace(events, times=None, sessions=None, ordered=False, chronological=False)

    def take(self, rows: NDArray[Any]) -> "Interactions":
        """Return the log with these events: their numbers in another order, or flags, bool [events]."""
        return replace(
            self,
            shoppers=self.shoppers[rows],
            products=self.products[rows],
            weights=self.weights[rows],
            times=None if self.times is None else self.times[rows],
            sessions=None if self.sessions is None else self.sessions[rows],
        )

    def select_events(self, events: NDArray[np.bool_]) -> "Interactions":
        """Return the log with only the events where `events`, bool [events], is True. Codes don't change.

        Raises:
            UserError: no event is left.
        """
        if not events.any():
            raise UserError("no event is left in this part of the log: choose another split")
        return self.take(events)


def from_columns(
    shoppers: Column,
    products: Column,
    *,
    times: NDArray[Any] | None = None,
    sessions: Column | None = None,
    weights: NDArray[Any] | None = None,
    catalogue: Column = (),
    ordered: bool = False,
) -> Interactions:
    """Return a log of columns of equal length, sorted by time. Events with equal times keep their order.

    If nothing gives the order of the events (neither times nor sessions nor `ordered`), the log has no order:
    the same events give the same log, in whatever order the rows are. Times that are all equal give no order.

    Args:
        shoppers: the shopper of each event: strings, integers, or both.
        products: the product of each event: strings, integers, or both.
        times: Unix seconds or datetime64. Fractions of a second affect only the order.
        sessions: the session of each event.
        weights: the importance of each event, > 0. The default is 1.
        catalogue: products that may have no event. Their codes come first, in this order.
        ordered: whether the rows are in time order. Not needed with times or sessions.

    Raises:
        UserError: the log is empty, an id or time is missing, times are not Unix seconds, columns differ in
            length, or a weight is not above 0.
    """
    shopper_vocabulary, shopper_codes = Vocabulary.of(shoppers, "shopper")
    catalogue_ids = Vocabulary.of(catalogue, "product")[0].ids
    product_vocabulary, product_codes = Vocabulary.of(products, "product", catalogue_ids)
    session_codes = None if sessions is None else Vocabulary.of(sessions, "session")[1]
    count = len(product_codes)
    if count == 0:
        raise UserError("the log holds no event: nothing can be learned from it")
    raw_times = None if times is None else _checked_times(times)
    values = np.ones(count, np.float32) if weights is None else np.asarray(weights, np.float32)
    columns = {"shoppers": shopper_codes, "times": raw_times, "weights": values, "sessions": session_codes}
    for what, column in columns.items():
        if column is not None and len(column) != count:
            raise UserError(
                f"there are {count:,} products but {len(column):,} {what}: all columns must have the same "
                "length"
            )
    if not (np.isfinite(values) & (values > 0)).all():
        raise UserError("every weight must be above 0 and finite: leave out the other events")
    log = Interactions(
        shopper_codes, product_codes, values, None, session_codes, shopper_vocabulary, product_vocabulary
    )
    if raw_times is not None:
        seconds = _seconds(raw_times)
        if count == 1 or (raw_times != raw_times[0]).any():
            return replace(log, times=seconds).take(np.argsort(raw_times, kind="stable"))
    if ordered or sessions is not None:
        return log
    return _with_sorted_ids(log, len(catalogue_ids)).without_order()


def _with_sorted_ids(log: Interactions, catalogue_size: int) -> Interactions:
    """Return the log with codes that don't depend on the order of the rows."""
    shopper_vocabulary, shoppers = log.shopper_vocabulary.sorted()
    product_vocabulary, products = log.product_vocabulary.sorted(catalogue_size)
    return replace(
        log,
        shoppers=shoppers[log.shoppers],
        products=products[log.products],
        shopper_vocabulary=shopper_vocabulary,
        product_vocabulary=product_vocabulary,
    )


def _checked_times(times: NDArray[Any]) -> NDArray[Any]:
    """Return the times as datetime64 or numbers, with fractions of a second.

    Raises:
        UserError: a time is missing, or neither a number nor a date.
    """
    values = times.to_numpy(zero_copy_only=False) if isinstance(times, pa.Array) else np.asarray(times)
    if np.issubdtype(values.dtype, np.datetime64):
        missing = np.isnat(values)
    else:
        try:
            values = values.astype(np.float64 if values.dtype == object else values.dtype)
            missing = ~np.isfinite(values)
        except (TypeError, ValueError):
            raise UserError(
                "the times are neither Unix seconds nor dates: convert them to one of these"
            ) from None
    if missing.any():
        raise UserError(
            f"{int(missing.sum()):,} events have no time: remove them, or read the log without times"
        )
    return values


def _seconds(raw_times: NDArray[Any]) -> Ints:
    if np.issubdtype(raw_times.dtype, np.datetime64):
        raw_times = raw_times.astype("datetime64[s]").astype(np.int64)
    first, end = YEARS_1_TO_9999_S
    if (raw_times < first).any() or (raw_times >= end).any():
        raise UserError("the times are not Unix seconds of the years 1 to 9999: divide milliseconds by 1,000")
    return raw_times.astype(np.int64)


NEWEST_SHARE = 0.1
"""The newest share of the log's length, in which events count as recent."""

PRIOR_EVENTS = 10.0
"""Pseudo-events that pull the trend of products with few events towards 1."""


def relative_ages(log: Interactions) -> NDArray[np.float64]:
    """Return ages from 0 (newest event) to 1 (oldest): float64 [events]; without times, by row number.

    If the order of the events is not known, all ages are 0.
    """
    if not log.chronological:
        return np.zeros(len(log))
    if log.times is None:
        return 1.0 - np.arange(1, len(log) + 1) / len(log)
    return np.asarray(log.ages / max(log.ages.max(), 1e-9))


def trend_ratios(log: Interactions) -> Floats:
    """Return the recent events of each product relative to the expected number, float32 [products].

    The ratio is (n'(i) + `PRIOR_EVENTS`) / (n(i) · N' / N + `PRIOR_EVENTS`), where product i has n(i) of all
    N events and n'(i) of the N' recent ones. It is 1 for all products if the log has neither times nor
    visits. Source: the shrunk ratio of DuMouchel, Bayesian Data Mining in Large Frequency Tables, The
    American Statistician 1999.
    """
    if log.times is None and log.sessions is None:
        return np.ones(log.product_count, np.float32)
    is_recent = relative_ages(log) <= NEWEST_SHARE
    count = np.bincount(log.products, minlength=log.product_count)
    recent_count = np.bincount(log.products[is_recent], minlength=log.product_count)
    return np.asarray((recent_count + PRIOR_EVENTS) / (count * is_recent.mean() + PRIOR_EVENTS), np.float32)
