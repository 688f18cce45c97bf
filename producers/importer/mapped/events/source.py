"""The input of the conversions to events, and what they share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.ids import derived_event_id
from producers.feed.events import Events, LazyColumn, Rows
from producers.importer.mapped.cells import GUEST, pseudonym
from producers.importer.mapped.line_table import LineTable
from producers.importer.mapped.mapping import Mapping
from producers.importer.mapped.order_lines import Index, OrderLines
from producers.importer.mapped.orders import Orders
from producers.importer.mapped.returns import Returned


@dataclass(frozen=True)
class EventSource:
    """The input of the conversions to events. `name` is that of the data set."""

    name: str
    mapping: Mapping
    table: LineTable
    orders: Orders
    lines: OrderLines
    returns: list[Returned]

    @cached_property
    def order_ids(self) -> list[str]:
        """The id of each order, in the order of `orders`."""
        values, prefix = self.table.codes["order"].values(), self.mapping.id_prefix
        return [prefix + values[code] for code in self.orders.code.tolist()]

    @cached_property
    def shopper_ids(self) -> list[str]:
        """The shopper of each order. A guest belongs to one order."""
        prefix = self.mapping.id_prefix
        known = self.ids_of_shoppers
        return [
            known[code] if code >= 0 else f"{prefix}{GUEST}{order_id.removeprefix(prefix)}"
            for code, order_id in zip(self.orders.shopper.tolist(), self.order_ids, strict=True)
        ]

    @cached_property
    def ids_of_shoppers(self) -> list[str]:
        """The shopper id of each code."""
        values, prefix = self.table.codes["shopper"].values(), self.mapping.id_prefix
        if self.mapping.shopper is None or not self.mapping.shopper.hash:
            return [prefix + value for value in values]
        return [prefix + pseudonym(self.mapping.name, value) for value in values]

    @cached_property
    def product_ids(self) -> list[str]:
        """The product id of each code."""
        return [self.mapping.id_prefix + value for value in self.table.codes["product"].values()]

    @cached_property
    def seller_ids(self) -> list[str]:
        """The seller id of each code; the last one is that of code -1, the mapping's only seller."""
        values = [self.mapping.id_prefix + value for value in self.table.codes["seller"].values()]
        return [*values, self.mapping.seller.id or ""]

    @cached_property
    def starts(self) -> list[int]:
        """The first line of each order and, at the end, the number of lines."""
        starts: list[int] = np.searchsorted(self.lines.order, np.arange(len(self.orders) + 1)).tolist()
        return starts

    def of_orders(self, values: Sequence[Any], orders: Rows) -> LazyColumn:
        """Return the values of these orders."""
        return LazyColumn(lambda rows: [values[row] for row in rows.tolist()], orders)

    def first_text(self, field: str, codes: NDArray[np.int32], count: int) -> Callable[[int], str | None]:
        """Return a function: code (of a product, shopper or seller; -1 too) → its first text in `field`."""
        values = self.table.codes[field].values()
        texts = np.full(count + 1, -1, np.int64)
        given = self.table.fields[field]
        rows = self.lines.row[given[self.lines.row] >= 0]
        found, first = np.unique(codes[rows], return_index=True)
        texts[found] = given[rows[first]]
        return lambda code: values[texts[code]] if texts[code] >= 0 else None


def caused(
    source: EventSource, name: str, at: Index, columns: dict[str, Sequence[Any]], key: str, orders: Rows
) -> Events:
    """Return events that `order_placed` of these orders caused."""
    placed_at, ids = source.orders.placed_at, source.order_ids

    def causes(rows: Rows) -> list[Any]:
        return [
            derived_event_id(at, source.name, "order_placed", ids[row])
            for at, row in zip(placed_at[rows].tolist(), rows.tolist(), strict=True)
        ]

    return Events(name, source.name, at, columns, (key,), "order_id", causes=LazyColumn(causes, orders))


def payment_id(source: EventSource, order: int) -> str:
    """Return the id of the only payment of an order."""
    return f"{source.order_ids[order]}-payment"
