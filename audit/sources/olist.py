"""Reads the Olist tables as rows to compare, independently of the replay that converted them to events."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from audit.grouping import grouped
from audit.sources.source_tables import EVERYTHING, SentRanges
from producers.importer.olist.tables import read_tables

CONFIRMED = ("delivered", "shipped", "invoiced", "processing", "approved")
"""Statuses of orders that were confirmed, whether or not the approval was recorded."""

CANCELLED = ("canceled", "unavailable")

_PURCHASE = "order_purchase_timestamp"
_STEPS = {
    "confirmed": "order_approved_at",
    "shipped": "order_delivered_carrier_date",
    "delivered": "order_delivered_customer_date",
}
_IDS = {
    "order_id": ("orders", "order_id"),
    "seller_id": ("sellers", "seller_id"),
    "shopper_id": ("customers", "customer_unique_id"),
    "product_id": ("products", "product_id"),
}


@dataclass(frozen=True)
class WallClockRange:
    """Wall-clock times from `start` (included) to `end` (excluded); None for no bound."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class OlistTables:
    """The rows of the tables in `directory` whose times are within one of the `ranges`.

    Only the reading of the files is shared with the replay. Times are the shop's wall clock, as in the
    tables; amounts become integer cents. `sent` has the time ranges whose events must be in Kafka. Memory:
    about 200 MB for all of Olist.
    """

    directory: Path
    ranges: tuple[WallClockRange, ...] = (WallClockRange(),)
    notes: tuple[str, ...] = ()
    sent: SentRanges = EVERYTHING

    @property
    def whole(self) -> bool:
        """Whether all times are chosen, so that no rows are left out."""
        return WallClockRange() in self.ranges

    def ids(self, subject: str) -> pa.ChunkedArray:
        """Return every id in the tables, at any time; `subject` is one of `_IDS`."""
        table, column = _IDS[subject]
        return self._tables[table][column]

    @cached_property
    def orders_placed(self) -> pa.Table:
        """One row per order: order_id, shopper_id (the person, not the checkout), day."""
        people = self._tables["customers"].select(["customer_id", "customer_unique_id"])
        joined = self._within_ranges(self._orders, _PURCHASE).join(people, "customer_id", join_type="inner")
        return _renamed(joined, {"order_id": "order_id", "shopper_id": "customer_unique_id", "day": "day"})

    @cached_property
    def lines(self) -> pa.Table:
        """One row per item: order_id, seller_id, product_id, day, units (1), gross_minor, shipping_minor."""
        return self._within_ranges(self._all_lines, "at").drop_columns(["at"])

    @cached_property
    def payments(self) -> pa.Table:
        """One row per payment: order_id, amount_minor. Its time is the order's approval or else purchase."""
        moments = self._orders.select(["order_id", _PURCHASE, "order_approved_at"])
        joined = self._tables["order_payments"].join(moments, "order_id", join_type="inner")
        payments = pa.table(
            {
                "order_id": joined["order_id"],
                "at": pc.coalesce(joined["order_approved_at"], joined[_PURCHASE]),
                "amount_minor": cents(joined["payment_value"]),
            }
        )
        return self._within_ranges(payments, "at").drop_columns(["at"])

    @cached_property
    def refunds(self) -> pa.Table:
        """No rows: Olist records no returns. Columns: order_id, amount_minor."""
        return pa.table({"order_id": pa.array([], pa.string()), "amount_minor": pa.array([], pa.int64())})

    @cached_property
    def steps(self) -> pa.Table:
        """One row per step of an order: order_id, step, seller_id (a shipment's, else empty), day."""
        shipments = grouped(self._all_lines, ("order_id", "seller_id"), [])
        per_shipment = self._orders.join(shipments, "order_id", join_type="inner")
        per_order = self._orders.append_column("seller_id", pa.array([""] * self._orders.num_rows))
        steps = []
        for step, column in _STEPS.items():
            rows = self._with_approvals(per_order) if step == "confirmed" else per_shipment
            rows = self._within_ranges(rows, column)
            steps.append(
                pa.table(
                    {
                        "order_id": rows["order_id"],
                        "step": pa.array([step] * rows.num_rows, pa.string()),
                        "seller_id": rows["seller_id"],
                        "day": day_of(rows[column]),
                    }
                )
            )
        return pa.concat_tables(steps)

    def _with_approvals(self, orders: pa.Table) -> pa.Table:
        """Return the orders; a confirmed order without an approval gets the time of its purchase."""
        approved_at = pc.if_else(
            pc.is_in(orders["order_status"], value_set=pa.array(CONFIRMED)),
            pc.coalesce(orders["order_approved_at"], orders[_PURCHASE]),
            orders["order_approved_at"],
        )
        place = orders.column_names.index("order_approved_at")
        return orders.set_column(place, "order_approved_at", approved_at)

    @cached_property
    def cancelled(self) -> pa.Table:
        """The cancelled or unavailable orders of all times: order_id, day (of the purchase)."""
        is_cancelled = pc.is_in(self._orders["order_status"], value_set=pa.array(CANCELLED))
        return self._orders.filter(is_cancelled).select(["order_id", "day"])

    @cached_property
    def reviews(self) -> pa.Table:
        """One row per review: order_id, score. A score without a review counts if its order has no review."""
        whole = self._tables.get("order_reviews", self._tables.get("order_reviews_head"))
        parts = []
        if whole is not None:
            parts.append(grouped(whole, ("review_id", "order_id"), [("review_score", "min")]))
        if (scores := self._tables.get("order_review_scores")) is not None:
            if whole is not None:
                reviewed = pc.is_in(scores["order_id"], value_set=whole["order_id"].combine_chunks())
                scores = scores.filter(pc.invert(reviewed))
            parts.append(scores.rename_columns(["order_id", "review_score_min"]))
        columns = {"order_id": "order_id", "score": "review_score_min"}
        empty = pa.table({"order_id": pa.array([], pa.string()), "score": pa.array([], pa.int8())})
        return pa.concat_tables([empty, *(_renamed(part, columns) for part in parts)])

    @cached_property
    def sellers(self) -> pa.Table:
        """The sellers of the chosen order items: seller_id, city, state."""
        ids = self._distinct_within_ranges(self._all_lines, ["seller_id"])
        joined = ids.join(self._tables["sellers"], "seller_id", join_type="inner")
        return _renamed(joined, {"seller_id": "seller_id", "city": "seller_city", "state": "seller_state"})

    @cached_property
    def shoppers(self) -> pa.Table:
        """The people who placed the chosen orders: shopper_id."""
        people = self._tables["customers"].select(["customer_id", "customer_unique_id"])
        orders = self._orders.join(people, "customer_id", join_type="inner")
        ids = self._distinct_within_ranges(
            _renamed(orders, {"customer_unique_id": "customer_unique_id", "at": _PURCHASE}),
            ["customer_unique_id"],
        )
        return _renamed(ids, {"shopper_id": "customer_unique_id"})

    @cached_property
    def products(self) -> pa.Table:
        """The products of the chosen order items by seller: product_id, seller_id, weight_g, photos."""
        ids = self._distinct_within_ranges(self._all_lines, ["product_id", "seller_id"])
        joined = ids.join(self._tables["products"], "product_id", join_type="inner")
        return _renamed(
            joined,
            {
                "product_id": "product_id",
                "seller_id": "seller_id",
                "weight_g": "product_weight_g",
                "photos": "product_photos_qty",
            },
        )

    @cached_property
    def _tables(self) -> dict[str, pa.Table]:
        return read_tables(self.directory)

    @cached_property
    def _orders(self) -> pa.Table:
        """All rows of `orders`, with the day of the purchase."""
        orders = self._tables["orders"]
        return orders.append_column("day", day_of(orders[_PURCHASE]))

    @cached_property
    def _all_lines(self) -> pa.Table:
        items = self._tables["order_items"].join(
            self._orders.select(["order_id", "day", _PURCHASE]), "order_id", join_type="inner"
        )
        return pa.table(
            {
                "order_id": items["order_id"],
                "seller_id": items["seller_id"],
                "product_id": items["product_id"],
                "day": items["day"],
                "at": items[_PURCHASE],
                "units": pa.array([1] * items.num_rows, pa.int64()),
                "gross_minor": cents(items["price"]),
                "shipping_minor": cents(items["freight_value"]),
            }
        )

    def _within_ranges(self, rows: pa.Table, at: str) -> pa.Table:
        """Return the rows whose time is within a range; rows without a time are left out."""
        chosen = rows.filter(pc.is_valid(rows[at]))
        if self.whole:
            return chosen.combine_chunks()
        inside = (_bounds(chosen[at], chosen[at], each) for each in self.ranges)
        return chosen.filter(reduce(pc.or_, inside)).combine_chunks()

    def _distinct_within_ranges(self, rows: pa.Table, key: list[str]) -> pa.Table:
        """Return the distinct keys whose rows overlap a range: first before its end, last after its start."""
        keys = grouped(rows, key, [("at", "min"), ("at", "max")])
        if not self.whole:
            inside = (_bounds(keys["at_min"], keys["at_max"], each) for each in self.ranges)
            keys = keys.filter(reduce(pc.or_, inside))
        return keys.select(key)


def _bounds(first: pa.ChunkedArray, last: pa.ChunkedArray, chosen: WallClockRange) -> pa.ChunkedArray:
    """Return True where `first` is before the end of the range and `last` is not before its start."""
    before_end = pc.less(first, chosen.end) if chosen.end else pc.is_valid(first)
    after_start = pc.greater_equal(last, chosen.start) if chosen.start else pc.is_valid(last)
    return pc.and_(before_end, after_start)


def day_of(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the calendar day (`2018-06-01`) of wall-clock times without a zone."""
    return pc.strftime(moments, format="%Y-%m-%d")


def cents(amounts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert amounts as published (`58.9`) to integer cents.

    Raises:
        ValueError: an amount has a fraction of a cent.
    """
    scaled = pc.multiply(amounts, 100.0)
    whole = pc.round(scaled)
    if pc.any(pc.greater(pc.abs(pc.subtract(scaled, whole)), 1e-6)).as_py():
        raise ValueError("an amount has a fraction of a cent")
    return whole.cast(pa.int64())


def _renamed(table: pa.Table, names: dict[str, str]) -> pa.Table:
    """Return the columns `names` (new → old) of the table."""
    return pa.table({new: table[old] for new, old in names.items()})
