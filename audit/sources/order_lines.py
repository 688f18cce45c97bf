"""Unfolds and sums the lines of `order_placed` events, as Arrow tables."""

from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from audit.grouping import grouped


def unfold_lines(orders: pa.Table, timezone: ZoneInfo) -> pa.Table:
    """Return one row per line: order_id, seller_id, product_id, day, units, gross_minor, shipping_minor.

    `orders` has `order_id`, `occurred_at` (UTC) and the `lines` of `order_placed`.
    """
    orders = orders.combine_chunks()
    parents = pc.list_parent_indices(orders["lines"])
    lines = pc.list_flatten(orders["lines"])
    fields = {name: pc.struct_field(lines, name) for name in _LINE_FIELDS}
    return pa.table(
        {
            "order_id": orders["order_id"].take(parents),
            "seller_id": fields["seller_id"],
            "product_id": fields["product_id"],
            "day": local_days(orders["occurred_at"], timezone).take(parents),
            "units": fields["quantity"],
            "gross_minor": pc.multiply(fields["quantity"], fields["unit_price_minor"]),
            "shipping_minor": fields["shipping_minor"],
        }
    )


_LINE_FIELDS = ("seller_id", "product_id", "quantity", "unit_price_minor", "shipping_minor")


def local_days(moments: pa.ChunkedArray, timezone: ZoneInfo) -> pa.Array:
    """Return the calendar day (`2018-06-01`) of each UTC time in the shop's time zone."""
    days = [None if at is None else str(at.astimezone(timezone).date()) for at in moments.to_pylist()]
    return pa.array(days, pa.string())


def sum_lines(lines: pa.Table, by: list[str]) -> pa.Table:
    """Return the sums of units, gross_minor and shipping_minor and the number of orders, by columns."""
    sums = grouped(lines, by, [("order_id", "count_distinct"), *((name, "sum") for name in FIGURES)])
    new_names = {"order_id_count_distinct": "orders", **{f"{name}_sum": name for name in FIGURES}}
    return sums.rename_columns([new_names.get(name, name) for name in sums.column_names])


FIGURES = ("units", "gross_minor", "shipping_minor")
