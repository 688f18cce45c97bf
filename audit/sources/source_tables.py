"""What the audit reads of a replayed or imported source, whatever its files look like.

There are also the time ranges whose events a replay has sent completely, or may have sent in part.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

Bounds = tuple[int | None, int | None]
"""Event times in Unix milliseconds, from the first (included) to the second (excluded); None for no bound."""


@dataclass(frozen=True)
class SentRanges:
    """The ranges that the replays of a data set have sent.

    `acknowledged` are the ranges that Kafka has acknowledged. `uncertain` are the ranges that an interrupted
    replay had not finished: Kafka may hold some of their events without having acknowledged them.
    """

    acknowledged: tuple[Bounds, ...] = ((None, None),)
    uncertain: tuple[Bounds, ...] = ()

    def acknowledged_events(self, events: pa.Table) -> pa.Table:
        """Return the events (with `occurred_at`) without those of uncertain ranges."""
        if not self.uncertain:
            return events
        at = events["occurred_at"].cast(pa.int64())
        uncertain = pc.and_(_within(at, self.uncertain), pc.invert(_within(at, self.acknowledged)))
        return events.filter(pc.invert(uncertain))


EVERYTHING = SentRanges()


def _within(at: pa.ChunkedArray, ranges: tuple[Bounds, ...]) -> pa.ChunkedArray:
    def inside(bounds: Bounds) -> pa.ChunkedArray:
        start, end = bounds
        begun = pc.is_valid(at) if start is None else pc.greater_equal(at, start)
        return begun if end is None else pc.and_(begun, pc.less(at, end))

    return reduce(pc.or_, map(inside, ranges))


class SourceTables(Protocol):
    """The rows of a source, as tables to compare. Amounts are in the smallest coin; days are the shop's."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the reader of every comparison."""

    @property
    def sent(self) -> SentRanges:
        """The time ranges whose events must be in Kafka."""

    @property
    def whole(self) -> bool:
        """Whether all times are chosen, so that no rows are left out."""

    def ids(self, subject: str) -> pa.ChunkedArray:
        """Return every id of the source; `subject` is a column such as `order_id`."""

    @property
    def orders_placed(self) -> pa.Table:
        """One row per order: order_id, shopper_id, day."""

    @property
    def lines(self) -> pa.Table:
        """Rows of orders: order_id, seller_id, product_id, day, units, gross_minor, shipping_minor."""

    @property
    def payments(self) -> pa.Table:
        """One row per payment: order_id, amount_minor."""

    @property
    def refunds(self) -> pa.Table:
        """One row per refund: order_id, amount_minor."""

    @property
    def steps(self) -> pa.Table:
        """One row per step of an order: order_id, step, seller_id (a shipment's, else empty), day."""

    @property
    def cancelled(self) -> pa.Table:
        """The cancelled orders: order_id, day (of the purchase)."""

    @property
    def reviews(self) -> pa.Table:
        """One row per review: order_id, score."""

    @property
    def sellers(self) -> pa.Table:
        """The sellers: seller_id, city, state."""

    @property
    def shoppers(self) -> pa.Table:
        """The people who placed orders: shopper_id."""

    @property
    def products(self) -> pa.Table:
        """The products by seller: product_id, seller_id, weight_g, photos."""
