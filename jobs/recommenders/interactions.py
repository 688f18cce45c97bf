"""The interaction log: who did something with what, in columns, oldest first."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from common.errors import UserError
from jobs.recommenders.histories import Floats, Histories, Ints
from jobs.recommenders.vocabulary import Codes, Column, Vocabulary

DAY_S = 86_400

YEARS_1_TO_9999_S = (-62_135_596_800, 253_402_300_800)
"""What is a date in Unix seconds; milliseconds of our days are past it."""


@dataclass(frozen=True)
class Interactions:
    """Events in time order (without times: in the order of the log), and what their codes stand for.

    Arrays of length [events]: `shoppers`, `products` and `sessions` are int32 codes, `weights` float32 > 0,
    `times` int64 (Unix seconds). `product_vocabulary` may hold products that have no event. `attributes` is a
    CSR matrix float32 [products, attributes]: how often a product has an attribute or a word. `categories`
    is int32 [products], -1 where there is none.
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

    def __len__(self) -> int:
        return len(self.products)

    @property
    def product_count(self) -> int:
        """Products of the catalogue, with events or without."""
        return len(self.product_vocabulary)

    @cached_property
    def histories(self) -> Histories:
        """The history of each shopper, by code."""
        count = len(self.shopper_vocabulary)
        return Histories.grouped(self.shoppers, count, self.products, self.weights)

    @cached_property
    def sequences(self) -> Histories:
        """The events of each session, in the order of the sessions' ends.

        Where no session is known, a shopper is one; without times, too, they keep the order of their codes.
        """
        rows = self._sequence_rows
        return Histories.grouped(rows, int(rows.max()) + 1, self.products, self.weights)

    @cached_property
    def sequence_events(self) -> Ints:
        """The event that each place of `sequences` holds, int64 [events]."""
        return np.argsort(self._sequence_rows, kind="stable")

    @cached_property
    def _sequence_rows(self) -> Ints:
        groups = self.shoppers if self.sessions is None else self.sessions
        if self.sessions is None and self.times is None:
            return np.unique(groups, return_inverse=True)[1].astype(np.int64)
        last = np.full(int(groups.max()) + 1, -1, np.int64)
        np.maximum.at(last, groups, np.arange(len(groups)))
        found = np.flatnonzero(last >= 0)
        place = np.zeros(len(last), np.int64)
        place[found[np.argsort(last[found])]] = np.arange(len(found))
        return place[groups]

    @cached_property
    def matrix(self) -> csr_array:
        """CSR float32 [shoppers, products]: the summed weights of their events."""
        return self.histories.matrix(self.product_count)

    @cached_property
    def affinity(self) -> csr_array:
        """CSR float32 [shoppers, products]: log2(1 + weight); the tenth event says less than the first."""
        values = np.log2(1.0 + self.matrix.data).astype(np.float32)
        return csr_array((values, self.matrix.indices, self.matrix.indptr), shape=self.matrix.shape)

    @cached_property
    def popularity(self) -> Floats:
        """Distinct shoppers of each product, float32 [products]."""
        return np.bincount(self.matrix.indices, minlength=self.product_count).astype(np.float32)

    @cached_property
    def repeat_share(self) -> float:
        """The share of events that are about a product which their shopper, or visit, had before."""
        pairs = self.sequences.rows * self.product_count + self.sequences.products
        return float(1 - len(np.unique(pairs)) / len(pairs))

    @cached_property
    def ages(self) -> NDArray[np.float64]:
        """Days from each event to the newest, float64 [events]; without times, all are of the same day."""
        if self.times is None:
            return np.zeros(len(self))
        return np.asarray((self.times.max() - self.times) / DAY_S)

    def select_events(self, events: NDArray[np.bool_]) -> "Interactions":
        """The log with only these events, bool [events]; the codes stay what they were.

        Raises:
            UserError: nothing is left.
        """
        if not events.any():
            raise UserError("no event is left in this part of the log: choose another split")
        return replace(
            self,
            shoppers=self.shoppers[events],
            products=self.products[events],
            weights=self.weights[events],
            times=None if self.times is None else self.times[events],
            sessions=None if self.sessions is None else self.sessions[events],
        )


def from_columns(
    shoppers: Column,
    products: Column,
    *,
    times: NDArray[Any] | None = None,
    sessions: Column | None = None,
    weights: NDArray[Any] | None = None,
    catalogue: Column = (),
) -> Interactions:
    """A log of columns of one length, sorted by time; events of one moment or without times keep order.

    Args:
        shoppers: who; strings, whole numbers, or both.
        products: with what; likewise.
        times: Unix seconds, or datetime64; parts of a second count for the order.
        sessions: in which visit.
        weights: how much an event says, > 0; 1 where none are given. A kind of event gets its weight here.
        catalogue: products that may have no event; their codes come first, in this order.

    Raises:
        UserError: nothing is there, an id or time is missing, times are no Unix seconds, columns differ in
            length, a weight is not > 0.
    """
    people, shopper_codes = Vocabulary.of(shoppers, "shopper")
    before = Vocabulary.of(catalogue, "product")[0].ids
    things, product_codes = Vocabulary.of(products, "product", before)
    session_codes = None if sessions is None else Vocabulary.of(sessions, "session")[1]
    count = len(product_codes)
    if count == 0:
        raise UserError("the log holds no event: nothing can be learned from it")
    moments = None if times is None else _moments(times)
    values = np.ones(count, np.float32) if weights is None else np.asarray(weights, np.float32)
    for what, column in (("shoppers", shopper_codes), ("times", moments), ("weights", values)):
        _check_length(what, column, count)
    _check_length("sessions", session_codes, count)
    if not (np.isfinite(values) & (values > 0)).all():
        raise UserError("every weight must be above 0 and finite: leave out events that say nothing")
    log = Interactions(shopper_codes, product_codes, values, None, session_codes, people, things)
    return log if moments is None else _sorted(log, moments)


def _check_length(what: str, column: NDArray[Any] | None, count: int) -> None:
    if column is not None and len(column) != count:
        raise UserError(f"there are {count:,} products but {len(column):,} {what}: columns need one length")


def _moments(times: NDArray[Any]) -> NDArray[Any]:
    """The times as they came, datetime64 or numbers, none of them missing."""
    values = times.to_numpy(zero_copy_only=False) if isinstance(times, pa.Array) else np.asarray(times)
    if np.issubdtype(values.dtype, np.datetime64):
        missing = np.isnat(values)
    else:
        try:
            values = values.astype(np.float64 if values.dtype == object else values.dtype)
            missing = ~np.isfinite(values)
        except (TypeError, ValueError):
            raise UserError(
                "the times are neither Unix seconds nor dates: turn them into one of these"
            ) from None
    if missing.any():
        raise UserError(
            f"{int(missing.sum()):,} events have no time: leave them out, or read the log without times"
        )
    return values


def _seconds(moments: NDArray[Any]) -> Ints:
    if np.issubdtype(moments.dtype, np.datetime64):
        moments = moments.astype("datetime64[s]").astype(np.int64)
    first, end = YEARS_1_TO_9999_S
    if (moments < first).any() or (moments >= end).any():
        raise UserError("the times are no Unix seconds of the years 1 to 9999: divide milliseconds by 1,000")
    return moments.astype(np.int64)


def _sorted(log: Interactions, moments: NDArray[Any]) -> Interactions:
    order = np.argsort(moments, kind="stable")
    return replace(
        log,
        shoppers=log.shoppers[order],
        products=log.products[order],
        weights=log.weights[order],
        times=_seconds(moments)[order],
        sessions=None if log.sessions is None else log.sessions[order],
    )
