"""Joins and checks Olist's tables: orders and lines as arrays that refer to each other by row."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from common.ids import derived_event_id
from producers.feed.events import Millis
from producers.importer.columns import minor_units, number_within, sum_by, utc_millis
from producers.importer.dataset import ConversionFindings
from producers.importer.olist.tables import KEYS
from producers.importer.tables import Tables, row_keys

NAME = "olist"
CURRENCY = "BRL"

Strings = NDArray[np.object_]
Index = NDArray[np.int64]

STATUSES = frozenset(
    {"created", "approved", "invoiced", "processing", "shipped", "delivered", "canceled", "unavailable"}
)


@dataclass(frozen=True)
class OlistOrders:
    """n orders sorted by (purchase, order id). Times are UTC, and MISSING if none was recorded."""

    order_id: Strings
    shopper_id: Strings
    status: Strings
    customer_row: Index
    purchased_at: Millis
    approved_at: Millis
    carrier_at: Millis
    delivered_at: Millis
    estimated_at: Millis
    placed_event_id: Strings

    def __len__(self) -> int:
        return len(self.order_id)


@dataclass(frozen=True)
class OlistLines:
    """m order lines sorted by (order, number); `order`, `product` and `seller` are rows of the other tables.

    Source rows of one order with the same product, seller and price are merged into one line. Its quantity is
    the number of rows.
    """

    order: Index
    number: Index
    product: Index
    seller: Index
    quantity: Index
    unit_price_minor: Index
    shipping_minor: Index


@dataclass(frozen=True)
class OlistSource:
    """The input of the conversions to events."""

    zone: ZoneInfo
    tables: Tables
    orders: OlistOrders
    lines: OlistLines

    @cached_property
    def product_ids(self) -> Strings:
        """The id of each row of products."""
        return strings(self.tables["products"]["product_id"])

    @cached_property
    def seller_ids(self) -> Strings:
        """The id of each row of sellers."""
        return strings(self.tables["sellers"]["seller_id"])

    @cached_property
    def line_bounds(self) -> Index:
        """The start of each order's lines, and the end of the last order's lines."""
        return np.searchsorted(self.lines.order, np.arange(len(self.orders) + 1))

    @cached_property
    def order_lines(self) -> list[list[dict[str, Any]]]:
        """The `lines` of each order, as records of the schema."""
        lines = self.lines
        records = [
            {
                "line_number": number,
                "product_id": product_id,
                "seller_id": seller_id,
                "quantity": quantity,
                "unit_price_minor": price,
                "discount_minor": 0,
                "shipping_minor": shipping,
                "tax_minor": 0,
                "commission_bp": 0,
            }
            for number, product_id, seller_id, quantity, price, shipping in zip(
                lines.number.tolist(),
                self.product_ids[lines.product].tolist(),
                self.seller_ids[lines.seller].tolist(),
                lines.quantity.tolist(),
                lines.unit_price_minor.tolist(),
                lines.shipping_minor.tolist(),
                strict=True,
            )
        ]
        return [records[start:end] for start, end in pairwise(self.line_bounds.tolist())]


def join_tables(tables: Tables, zone: ZoneInfo, findings: ConversionFindings) -> OlistSource:
    """Check keys and amounts, and resolve keys to rows and times to UTC. Unusable rows go to `findings`."""
    unique = ("sellers", "products", "customers", "orders", "order_items", "order_payments")
    tables = tables | {name: drop_duplicates(tables[name], name, findings) for name in unique}
    orders = _orders(tables, zone, findings)
    return OlistSource(zone, tables, orders, _lines(tables, orders, findings))


def strings(column: pa.ChunkedArray) -> Strings:
    """Return a text column as an array of `str | None`."""
    return np.array(column.to_pylist() or [], dtype=object)


def lookup(values: pa.ChunkedArray, keys: Any) -> Index:
    """Return the row of each value in `keys`, or -1 if it is missing there."""
    found = pc.index_in(values, value_set=pa.array(keys, pa.string()))
    return np.asarray(found.fill_null(-1).to_numpy(), np.int64)


def filter_rows(
    table: pa.Table, good: NDArray[np.bool_], name: str, reason: str, findings: ConversionFindings
) -> pa.Table:
    """Return the rows of `table` for which `good` is true. The keys of the other rows go to `findings`."""
    if good.all():
        return table
    findings.reject(name, row_keys(table.filter(pa.array(~good)), KEYS[name]), reason)
    return table.filter(pa.array(good))


def is_one_of(column: pa.ChunkedArray, values: Iterable[str]) -> NDArray[np.bool_]:
    """Return which texts of a column are one of `values`."""
    is_in = pc.is_in(column, value_set=pa.array(sorted(values)))
    return np.asarray(is_in.to_numpy(zero_copy_only=False), bool)


def drop_duplicates(table: pa.Table, name: str, findings: ConversionFindings) -> pa.Table:
    """Return the first row of each key. The keys of the other rows go to `findings`."""
    codes = pa.array(row_keys(table, KEYS[name]), pa.string()).dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    is_first = np.isin(np.arange(len(codes)), first)
    return filter_rows(
        table, is_first, name, f"repeats the {' and '.join(KEYS[name])} of an earlier row", findings
    )


def _orders(tables: Tables, zone: ZoneInfo, findings: ConversionFindings) -> OlistOrders:
    table, customers = tables["orders"], tables["customers"]
    good = is_one_of(table["order_status"], STATUSES)
    table = filter_rows(table, good, "orders", "order_status is not one of Olist's", findings)
    customer_ids = customers["customer_id"].combine_chunks()
    good = lookup(table["customer_id"], customer_ids) >= 0
    table = filter_rows(table, good, "orders", "customer_id is not in customers", findings)
    order = pc.sort_indices(table, [("order_purchase_timestamp", "ascending"), ("order_id", "ascending")])
    table = table.take(order)
    ids = strings(table["order_id"])
    customer_row = lookup(table["customer_id"], customer_ids)
    purchased_at = utc_millis(table["order_purchase_timestamp"], zone)
    return OlistOrders(
        order_id=ids,
        shopper_id=strings(customers["customer_unique_id"])[customer_row],
        status=strings(table["order_status"]),
        customer_row=customer_row,
        purchased_at=purchased_at,
        approved_at=utc_millis(table["order_approved_at"], zone),
        carrier_at=utc_millis(table["order_delivered_carrier_date"], zone),
        delivered_at=utc_millis(table["order_delivered_customer_date"], zone),
        estimated_at=utc_millis(table["order_estimated_delivery_date"], zone),
        placed_event_id=np.array(
            [
                derived_event_id(moment, NAME, "order_placed", order_id)
                for moment, order_id in zip(purchased_at.tolist(), ids.tolist(), strict=True)
            ],
            dtype=object,
        ),
    )


def _lines(tables: Tables, orders: OlistOrders, findings: ConversionFindings) -> OlistLines:
    table = tables["order_items"]
    for column, keys, where in (
        ("order_id", orders.order_id, "the usable orders"),
        ("product_id", tables["products"]["product_id"].combine_chunks(), "products"),
        ("seller_id", tables["sellers"]["seller_id"].combine_chunks(), "sellers"),
    ):
        good = lookup(table[column], keys) >= 0
        table = filter_rows(table, good, "order_items", f"{column} is not in {where}", findings)
    for column in ("price", "freight_value"):
        _, good = minor_units(table[column], CURRENCY)
        reason = f"{column} is negative or has a fraction of a cent"
        table = filter_rows(table, good, "order_items", reason, findings)

    item = table["order_item_id"].to_numpy().astype(np.int64)
    order = lookup(table["order_id"], orders.order_id)
    by_order = np.lexsort((item, order))
    order = order[by_order]
    product = lookup(table["product_id"], tables["products"]["product_id"].combine_chunks())[by_order]
    seller = lookup(table["seller_id"], tables["sellers"]["seller_id"].combine_chunks())[by_order]
    price = minor_units(table["price"], CURRENCY)[0][by_order]
    freight = minor_units(table["freight_value"], CURRENCY)[0][by_order]

    same = _pair_codes(_pair_codes(_pair_codes(order, product), seller), price)
    _, first, line, quantity = np.unique(same, return_index=True, return_inverse=True, return_counts=True)
    shipping = sum_by(line, len(first), freight)
    appearance = np.argsort(first)
    first, quantity, shipping = first[appearance], quantity[appearance], shipping[appearance]
    order_of_line = order[first]
    findings.note(
        len(item) - len(first), "order_items repeat product, seller and price of their order: quantity"
    )
    number = number_within(order_of_line)
    return OlistLines(order_of_line, number, product[first], seller[first], quantity, price[first], shipping)


def _pair_codes(left: Index, right: Index) -> Index:
    """Return one number per distinct pair, below the number of rows."""
    if not len(left):
        return left
    _, dense = np.unique(right, return_inverse=True)
    _, codes = np.unique(left * (dense.max() + 1) + dense, return_inverse=True)
    return np.asarray(codes, np.int64)
