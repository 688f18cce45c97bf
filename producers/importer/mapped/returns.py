"""Matches returned units to the earlier sale that they take back."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter

import numpy as np

from producers.feed.events import Rows
from producers.importer.mapped.cells import EMPTY
from producers.importer.mapped.line_table import OTHER_STATUS, LineTable
from producers.importer.mapped.orders import RETURNED_SALE, OrderLines, Orders
from producers.importer.mapped.outcomes import Outcomes
from producers.importer.mapped.row_rules import CheckedLines

RETURN = "return of an earlier sale"

UNKNOWN_SALE = "returns a product that this shopper did not buy before"
UNKNOWN_SHOPPER = "returns a product, but no shopper says whose order it was"
TOO_MANY = "returns more units than this shopper bought before"
TOO_MUCH = "returns for more than what was paid"
FOR_NOTHING = "returns a product for nothing"

Part = tuple[int, int, int]
"""Line, units, refund."""


@dataclass
class Returned:
    """What one return takes back of one order from one seller: line → (units, refund)."""

    order: int
    seller: int
    at: int
    lines: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def refund_minor(self) -> int:
        """What the shopper gets back."""
        return sum(refund for _, refund in self.lines.values())

    def add(self, line: int, units: int, refund_minor: int) -> None:
        """Add units of a line."""
        before = self.lines.get(line, (0, 0))
        self.lines[line] = (before[0] + units, before[1] + refund_minor)


class SoldLines:
    """The lines that can be returned, and what is left of each. Lines ascend by the time of their order."""

    def __init__(self, table: LineTable, orders: Orders, lines: OrderLines) -> None:
        self._table = table
        self._orders = orders
        self._lines = lines
        self._left = lines.quantity.copy()
        self._refundable = lines.amount_minor.copy()
        self._product = table.fields["product"][lines.row]
        self._seller = table.fields["seller"][lines.row]
        self._index: dict[tuple[object, ...], list[int]] = defaultdict(list)

    def index(self, rows: Rows) -> None:
        """Make the lines known to `match` that these rows of the source may take back."""
        order, fields = self._lines.order, self._table.fields
        returnable = (self._orders.status[order] == OTHER_STATUS) & (self._left > 0)
        products = len(self._table.codes["product"])
        wanted = np.zeros(len(order), bool)
        for owner_of_line, owner_of_row in (
            (self._orders.code[order], fields["order"][rows]),
            (self._orders.shopper[order], fields["shopper"][rows]),
        ):
            pairs = owner_of_row.astype(np.int64) * products + fields["product"][rows]
            known = pairs[owner_of_row >= 0]
            wanted |= np.isin(owner_of_line.astype(np.int64) * products + self._product, known)
        for line in np.flatnonzero(returnable & wanted).tolist():
            for key in self._keys(line):
                self._index[key].append(line)

    def match(
        self, order: int, shopper: int, what: tuple[int, int], at: int, units: int, refund_minor: int
    ) -> list[Part] | str:
        """Return the lines whose units come back, or why the units can't be matched completely.

        `order` is the code of the return's order id, `what` are the codes of product and seller. First come
        lines of the same order, then those of the shopper's orders up to `at`; among them first those with
        the same price, then the latest ones.
        """
        parts: list[Part] = []
        taken, too_much = 0, False
        for line in self._candidates(order, shopper, what, at, refund_minor // units):
            part = min(int(self._left[line]), units - taken)
            refund = refund_minor * (taken + part) // units - refund_minor * taken // units
            if refund > self._refundable[line]:
                too_much = True
                continue
            parts.append((line, part, refund))
            taken += part
            if taken == units:
                self.take(parts)
                return parts
        if too_much:
            return TOO_MUCH
        if ("order", order, *what) in self._index or ("shopper", shopper, *what) in self._index:
            return TOO_MANY
        return UNKNOWN_SHOPPER if shopper < 0 else UNKNOWN_SALE

    def take(self, parts: list[Part]) -> None:
        """Subtract these units and refunds from what is left."""
        for line, units, refund in parts:
            self._left[line] -= units
            self._refundable[line] -= refund
            if not self._left[line]:
                for key in self._keys(line):
                    known = self._index.get(key, [])
                    place = bisect_left(known, line)
                    if known[place : place + 1] == [line]:
                        del known[place]

    def _candidates(
        self, order: int, shopper: int, what: tuple[int, int], at: int, price: int
    ) -> Iterator[int]:
        after = np.searchsorted(self._orders.placed_at, at, side="right")
        end = int(np.searchsorted(self._lines.order, after))
        own = ("order", order, *what)
        yield from self._latest_first(own, price, len(self._lines))
        if shopper >= 0:
            of_own = set(self._index.get(own, []))
            found = self._latest_first(("shopper", shopper, *what), price, end)
            yield from (line for line in found if line not in of_own)

    def _latest_first(self, key: tuple[object, ...], price: int, end: int) -> Iterator[int]:
        same_price = self._index.get((*key, price), [])
        yield from (same_price[place] for place in reversed(range(bisect_left(same_price, end))))
        known = self._index.get(key, [])
        for place in reversed(range(bisect_left(known, end))):
            if self._lines.unit_price_minor[known[place]] != price:
                yield known[place]

    def _keys(self, line: int) -> Iterator[tuple[object, ...]]:
        order = int(self._lines.order[line])
        what = (int(self._product[line]), int(self._seller[line]))
        price = int(self._lines.unit_price_minor[line])
        owners = [("order", int(self._orders.code[order]))]
        if (shopper := int(self._orders.shopper[order])) >= 0:
            owners.append(("shopper", shopper))
        for owner in owners:
            yield (*owner, *what)
            yield (*owner, *what, price)


def match_returns(
    table: LineTable, checked: CheckedLines, orders: Orders, lines: OrderLines, outcomes: Outcomes
) -> list[Returned]:
    """Return all returns, by time. Rows whose units can't be matched completely are rejected.

    Parts of one document, order, seller and time are one return.
    """
    sold, seller = SoldLines(table, orders, lines), table.fields["seller"][lines.row]
    found: dict[tuple[object, ...], Returned] = {}
    for document, at, parts in chain(
        _returned_by_status(orders, lines, sold, outcomes),
        _returned_by_rows(table, checked, orders, sold, outcomes),
    ):
        for line, units, refund_minor in parts:
            what = int(lines.order[line]), int(seller[line]), at
            found.setdefault((document, *what), Returned(*what)).add(line, units, refund_minor)
    return sorted(found.values(), key=attrgetter("at", "order", "seller"))


def _returned_by_status(
    orders: Orders, lines: OrderLines, sold: SoldLines, outcomes: Outcomes
) -> Iterator[tuple[object, int, list[Part]]]:
    """Yield the document, the time and the lines of each sale whose status says that it was returned."""
    paid = lines.gross_minor - lines.discount_minor
    for line in np.flatnonzero(outcomes.used_as(RETURNED_SALE)[lines.row] & (paid > 0)).tolist():
        parts = [(line, int(lines.quantity[line]), int(paid[line]))]
        sold.take(parts)
        yield "status", int(orders.placed_at[lines.order[line]]), parts


def _returned_by_rows(
    table: LineTable, checked: CheckedLines, orders: Orders, sold: SoldLines, outcomes: Outcomes
) -> Iterator[tuple[object, int, list[Part]]]:
    """Yield the document, the time and the lines of each row that takes a sale back, and decide the rows."""
    rows = np.flatnonzero(outcomes.pending & checked.is_return)
    sold.index(rows)
    placed_at = dict(zip(orders.code.tolist(), orders.placed_at.tolist(), strict=True))
    rejected: dict[str, list[int]] = defaultdict(list)
    for row in rows[np.argsort(table.time[rows], kind="stable")].tolist():
        order, at = int(table.fields["order"][row]), int(table.time[row])
        at = max(placed_at.get(order, at), at)
        units = int(checked.units[row])
        refund_minor = int(checked.amount_minor[row] - checked.discount_minor[row])
        if at == EMPTY:
            rejected["the time is empty"].append(row)
            continue
        if refund_minor <= 0:
            rejected[FOR_NOTHING].append(row)
            continue
        what = (int(table.fields["product"][row]), int(table.fields["seller"][row]))
        parts = sold.match(order, int(table.fields["shopper"][row]), what, at, units, refund_minor)
        if isinstance(parts, str):
            rejected[parts].append(row)
        else:
            yield order if order >= 0 else f"row {row}", at, parts
    for reason, which in rejected.items():
        outcomes.reject(np.array(which), reason)
    outcomes.use(rows, RETURN)
