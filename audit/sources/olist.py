"""Reads the Olist tables as rows to compare, independently of the replay that made events of them."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from audit.sources.sent import EVERYTHING, Sent
from producers.replay.olist.tables import read_tables

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
class Range:
    """Wall-clock times from `start` (included) to `end` (excluded); None for no bound."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class OlistTables:
    """The tables in `directory`, as far as they happened within one of the `ranges`.

    Only the reading of the files is shared with the replay. Times are the shop's wall clock, as the tables
    have them; amounts become integer cents. `sent` says which of the events can be asked for. Memory: about
    200 MB for all of Olist.
    """

    directory: Path
    ranges: tuple[Range, ...] = (Range(),)
    notes: tuple[str, ...] = ()
    sent: Sent = EVERYTHING

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return Range() in self.ranges

    def known(self, subject: str) -> pa.ChunkedArray:
        """Every id in the tables, whenever; `subject` is one of `_IDS`."""
        table, column = _IDS[subject]
        return self._tables[table][column]

    @cached_property
    def orders_placed(self) -> pa.Table:
        """One row an order: order_id, shopper_id (the person, not the checkout), day."""
        people = self._tables["customers"].select(["customer_id", "customer_unique_id"])
        joined = self._happened(self._orders, _PURCHASE).join(people, "customer_id", join_type="inner")
        names = {"order_id": "order_id", "shopper_id": "customer_unique_id", "day": "day"}
        return _renamed(joined, names)

    @cached_property
    def lines(self) -> pa.Table:
        """One row an item: order_id, seller_id, product_id, day, units (1), gross_minor, shipping_minor."""
        return self._happened(self._every_line, "at").drop_columns(["at"])

    @cached_property
    def payments(self) -> pa.Table:
        """One row a payment: order_id, amount_minor. It happened at the approval, else at the purchase."""
        moments = self._orders.select(["order_id", _PURCHASE, "order_approved_at"])
        joined = self._tables["order_payments"].join(moments, "order_id", join_type="inner")
        payments = pa.table(
            {
                "order_id": joined["order_id"],
                "at": pc.coalesce(joined["order_approved_at"], joined[_PURCHASE]),
                "amount_minor": cents(joined["payment_value"]),
            }
        )
        return self._happened(payments, "at").drop_columns(["at"])

    @cached_property
    def steps(self) -> pa.Table:
        """One row a step of an order: order_id, step, seller_id (a shipment's, else empty), day."""
        shipments = self._every_line.group_by(["order_id", "seller_id"]).aggregate([])
        per_shipment = self._orders.join(shipments, "order_id", join_type="inner")
        per_order = self._orders.append_column("seller_id", pa.array([""] * self._orders.num_rows))
        steps = []
        for step, column in _STEPS.items():
            rows = per_order if step == "confirmed" else per_shipment
            rows = self._happened(rows, column)
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

    @cached_property
    def cancelled(self) -> pa.Table:
        """The orders that were cancelled or unavailable, whenever: order_id, day (of the purchase)."""
        gone = pc.is_in(self._orders["order_status"], value_set=pa.array(CANCELLED))
        return self._orders.filter(gone).select(["order_id", "day"])

    @cached_property
    def reviews(self) -> pa.Table:
        """One row a review, whenever: order_id, score. Lone scores count where no review is."""
        whole = self._tables.get("order_reviews", self._tables.get("order_reviews_head"))
        parts = []
        if whole is not None:
            parts.append(whole.group_by(["review_id", "order_id"]).aggregate([("review_score", "min")]))
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
        """Who sold something, or is needed to: seller_id, city, state."""
        there = self._needed(self._every_line, ["seller_id"])
        joined = there.join(self._tables["sellers"], "seller_id", join_type="inner")
        return _renamed(joined, {"seller_id": "seller_id", "city": "seller_city", "state": "seller_state"})

    @cached_property
    def shoppers(self) -> pa.Table:
        """Who ordered something: shopper_id."""
        people = self._tables["customers"].select(["customer_id", "customer_unique_id"])
        orders = self._orders.join(people, "customer_id", join_type="inner")
        there = self._needed(
            _renamed(orders, {"customer_unique_id": "customer_unique_id", "at": _PURCHASE}),
            ["customer_unique_id"],
        )
        return _renamed(there, {"shopper_id": "customer_unique_id"})

    @cached_property
    def products(self) -> pa.Table:
        """What was sold by whom: product_id, seller_id, weight_g, photos."""
        there = self._needed(self._every_line, ["product_id", "seller_id"])
        joined = there.join(self._tables["products"], "product_id", join_type="inner")
        names = {
            "product_id": "product_id",
            "seller_id": "seller_id",
            "weight_g": "product_weight_g",
            "photos": "product_photos_qty",
        }
        return _renamed(joined, names)

    @cached_property
    def _tables(self) -> dict[str, pa.Table]:
        return read_tables(self.directory)

    @cached_property
    def _orders(self) -> pa.Table:
        """All rows of `orders`, with the day of the purchase."""
        orders = self._tables["orders"]
        return orders.append_column("day", day_of(orders[_PURCHASE]))

    @cached_property
    def _every_line(self) -> pa.Table:
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

    def _happened(self, rows: pa.Table, at: str) -> pa.Table:
        """The rows whose time is chosen; those without a time never happened."""
        chosen = rows.filter(pc.is_valid(rows[at]))
        if self.whole:
            return chosen.combine_chunks()
        inside = (_bounds(chosen[at], chosen[at], each) for each in self.ranges)
        return chosen.filter(reduce(pc.or_, inside)).combine_chunks()

    def _needed(self, rows: pa.Table, key: list[str]) -> pa.Table:
        """The distinct keys, first seen before the end of a chosen range and last seen after its start."""
        seen = rows.group_by(key).aggregate([("at", "min"), ("at", "max")])
        if not self.whole:
            inside = (_bounds(seen["at_min"], seen["at_max"], each) for each in self.ranges)
            seen = seen.filter(reduce(pc.or_, inside))
        return seen.select(key)


def _bounds(first: pa.ChunkedArray, last: pa.ChunkedArray, chosen: Range) -> pa.ChunkedArray:
    """True where `first` is before the end of the range and `last` not before its start."""
    before_end = pc.less(first, chosen.end) if chosen.end else pc.is_valid(first)
    after_start = pc.greater_equal(last, chosen.start) if chosen.start else pc.is_valid(last)
    return pc.and_(before_end, after_start)


def day_of(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """The calendar day (`2018-06-01`) of wall-clock times without a zone."""
    return pc.strftime(moments, format="%Y-%m-%d")


def cents(amounts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Amounts as published (`58.9`) in integer cents.

    Raises:
        ValueError: an amount has a fraction of a cent.
    """
    scaled = pc.multiply(amounts, 100.0)
    whole = pc.round(scaled)
    if pc.any(pc.greater(pc.abs(pc.subtract(scaled, whole)), 1e-6)).as_py():
        raise ValueError("an amount has a fraction of a cent")
    return whole.cast(pa.int64())


def _renamed(table: pa.Table, names: dict[str, str]) -> pa.Table:
    """The columns `names` (new → old) of the table."""
    return pa.table({new: table[old] for new, old in names.items()})
