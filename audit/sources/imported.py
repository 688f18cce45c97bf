"""Reads the tables of one's own shop as rows to compare with the events of their import."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from audit.grouping import grouped
from audit.sources.order_lines import local_days
from audit.sources.source_tables import EVERYTHING, SentRanges
from producers.importer.mapped.data_set import Import, MappedDataSet
from producers.importer.mapped.line_table import CANCELLED, OTHER_STATUS, PRICE_DIGITS

_SUBJECTS = ("order_id", "seller_id", "shopper_id", "product_id")


@dataclass(frozen=True)
class ImportedTables:
    """The rows that an import uses.

    The import's own reading says which rows are used, and to which order they belong. Units and gross amounts
    are computed here again, row by row. Shares of a whole order's amounts are the import's.
    """

    directory: Path
    mapping: Path
    timezone: ZoneInfo
    notes: tuple[str, ...] = ()
    sent: SentRanges = EVERYTHING
    whole: bool = True

    def ids(self, subject: str) -> pa.ChunkedArray:
        """Return every id of the used rows; `subject` is one of `_SUBJECTS`."""
        if subject not in _SUBJECTS:
            raise KeyError(subject)
        table = self.orders_placed if subject in ("order_id", "shopper_id") else self.lines
        return table[subject]

    @cached_property
    def orders_placed(self) -> pa.Table:
        """One row per order: order_id, shopper_id, day."""
        source = self._import.source
        return pa.table({"order_id": source.order_ids, "shopper_id": source.shopper_ids, "day": self._days})

    @cached_property
    def lines(self) -> pa.Table:
        """One row per used row of the files: order_id, seller_id, product_id, day, units, gross_minor, …"""
        source, table, lines = self._import.source, self._import.table, self._import.source.lines
        rows, first = np.unique(lines.row, return_index=True)
        order = lines.order[first].tolist()
        shipping = np.zeros(len(table), np.int64)
        np.add.at(shipping, lines.row, lines.shipping_minor)
        units = [int(table.quantity[row]) for row in rows.tolist()]
        return pa.table(
            {
                "order_id": [source.order_ids[each] for each in order],
                "seller_id": [source.seller_ids[code] for code in table.fields["seller"][rows].tolist()],
                "product_id": [source.product_ids[code] for code in table.fields["product"][rows].tolist()],
                "day": [self._days[each] for each in order],
                "units": pa.array(units, pa.int64()),
                "gross_minor": pa.array(self._gross(rows.tolist(), units), pa.int64()),
                "shipping_minor": pa.array(shipping[rows]),
            }
        )

    @cached_property
    def payments(self) -> pa.Table:
        """One row per confirmed order: order_id, amount_minor."""
        orders, lines = self._import.source.orders, self._import.source.lines
        place = {order_id: index for index, order_id in enumerate(self._import.source.order_ids)}
        amounts = np.zeros(len(orders), np.int64)
        np.add.at(amounts, lines.order, lines.shipping_minor + lines.tax_minor - lines.discount_minor)
        ids, gross = self.lines["order_id"].to_pylist(), self.lines["gross_minor"].to_pylist()
        for order_id, gross_minor in zip(ids, gross, strict=True):
            amounts[place[order_id]] += gross_minor
        return self._of_orders(OTHER_STATUS).append_column(
            "amount_minor", pa.array(amounts[orders.status == OTHER_STATUS])
        ).drop_columns(["day"])  # fmt: skip

    @cached_property
    def refunds(self) -> pa.Table:
        """One row per return: order_id, amount_minor."""
        source = self._import.source
        return pa.table(
            {
                "order_id": pa.array([source.order_ids[each.order] for each in source.returns], pa.string()),
                "amount_minor": pa.array([each.refund_minor for each in source.returns], pa.int64()),
            }
        )

    @cached_property
    def steps(self) -> pa.Table:
        """One row per confirmed order: order_id, step, seller_id (empty), day."""
        confirmed = self._of_orders(OTHER_STATUS)
        rows = confirmed.num_rows
        return pa.table(
            {
                "order_id": confirmed["order_id"],
                "step": pa.array(["confirmed"] * rows, pa.string()),
                "seller_id": pa.array([""] * rows, pa.string()),
                "day": confirmed["day"],
            }
        )

    @cached_property
    def cancelled(self) -> pa.Table:
        """The cancelled orders: order_id, day (of the purchase)."""
        return self._of_orders(CANCELLED)

    @cached_property
    def reviews(self) -> pa.Table:
        """No rows: an import has no reviews."""
        return pa.table({"order_id": pa.array([], pa.string()), "score": pa.array([], pa.int8())})

    @cached_property
    def sellers(self) -> pa.Table:
        """The sellers of the used rows: seller_id, city, state (both unknown)."""
        ids = self.lines["seller_id"].unique()
        nothing = pa.nulls(len(ids), pa.string())
        return pa.table({"seller_id": ids, "city": nothing, "state": nothing})

    @cached_property
    def shoppers(self) -> pa.Table:
        """The shoppers with an id: shopper_id. Guests are not registered."""
        known = self._import.source.orders.shopper >= 0
        return pa.table({"shopper_id": self.orders_placed["shopper_id"].filter(pa.array(known)).unique()})

    @cached_property
    def products(self) -> pa.Table:
        """The products of the used rows by seller: product_id, seller_id, weight_g, photos (both unknown)."""
        pairs = grouped(self.lines, ("product_id", "seller_id"), [])
        nothing = pa.nulls(pairs.num_rows, pa.int32())
        return pairs.append_column("weight_g", nothing).append_column("photos", nothing)

    @cached_property
    def _import(self) -> Import:
        return MappedDataSet.load(self.mapping).read(self.directory)

    @cached_property
    def _days(self) -> list[str]:
        moments = pa.array(self._import.source.orders.placed_at).cast(pa.timestamp("ms", "UTC"))
        return list(local_days(pa.chunked_array([moments]), self.timezone).to_pylist())

    def _gross(self, rows: list[int], units: list[int]) -> list[int]:
        """Return quantity times price of each row, or its total, in the smallest coin, rounded half up."""
        price, scale = self._import.table.price, 10**PRICE_DIGITS
        by_line = self._import.source.mapping.price.of == "line"
        factors = [1] * len(rows) if by_line else units
        exact = [int(price[row]) * factor for row, factor in zip(rows, factors, strict=True)]
        return [(amount + scale // 2) // scale for amount in exact]

    def _of_orders(self, status: int) -> pa.Table:
        chosen = self._import.source.orders.status == status
        return self.orders_placed.filter(pa.array(chosen)).select(["order_id", "day"])
