"""Makes order lines of rows: shares of whole orders' amounts, and prices in the smallest coin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from producers.importer.mapped.line_table import LineTable
from producers.importer.mapped.mapping import Mapping
from producers.importer.mapped.outcomes import Outcomes
from producers.importer.mapped.row_rules import CheckedLines

Index = NDArray[np.int64]

MAX_LINES = 5_000
"""Lines of an order: an event with more could exceed what Kafka accepts."""

SHIPPING = "shipping of an order"


@dataclass(frozen=True)
class OrderLines:
    """m lines in the order of the orders, then of the rows. `order` is an index, `number` counts from 1.

    `row` is the row of the source. A row whose amount is no multiple of its quantity has two lines, which
    differ by the smallest coin.
    """

    order: Index
    row: Index
    number: Index
    quantity: Index
    unit_price_minor: Index
    discount_minor: Index
    shipping_minor: Index
    tax_minor: Index

    def __len__(self) -> int:
        return len(self.order)

    @property
    def gross_minor(self) -> Index:
        """Quantity times price."""
        return self.quantity * self.unit_price_minor

    @property
    def amount_minor(self) -> Index:
        """What the shopper pays for each line."""
        return self.gross_minor - self.discount_minor + self.shipping_minor + self.tax_minor


def build_lines(
    table: LineTable,
    checked: CheckedLines,
    mapping: Mapping,
    outcomes: Outcomes,
    sales: Index,
    order_of_row: Index,
    orders: int,
) -> OrderLines:
    """Return the lines of the rows `sales`, with their shares of the amounts of whole orders.

    `order_of_row` is the index of each row's order, or -1. It decides about the rows that are shipping.
    """
    rows = sales[np.lexsort((sales, order_of_row[sales]))]
    order, units, amount = order_of_row[rows], checked.units[rows], checked.amount_minor[rows]
    extras: dict[str, Index] = {"discount": checked.discount_minor[rows]}
    for name in ("shipping", "tax"):
        field = getattr(mapping, name)
        by_line = field is not None and field.of != "order"
        extras[name] = table.amounts[name][rows] if by_line else np.zeros(len(rows), np.int64)
    if mapping.discount and mapping.discount.of == "order":
        whole = order_amounts(table, order_of_row, orders, "discount")
        extras["discount"] = extras["discount"] + _distribute(whole, order, amount)
    for name in ("shipping", "tax"):
        field = getattr(mapping, name)
        whole = np.zeros(orders, np.int64)
        if field is not None and field.of == "order":
            whole = order_amounts(table, order_of_row, orders, name)
        if name == "shipping":
            whole += _shipping_rows(checked, outcomes, order_of_row, orders)
        extras[name] = extras[name] + _distribute(whole, order, amount)
    return _split(rows, order, units, amount, extras)


def _shipping_rows(checked: CheckedLines, outcomes: Outcomes, order_of_row: Index, orders: int) -> Index:
    """Return the sum of each order's rows that are shipping, and decide these rows."""
    shipping = checked.is_shipping & outcomes.pending
    rows = np.flatnonzero(shipping & (order_of_row >= 0))
    whole = np.zeros(orders, np.int64)
    np.add.at(whole, order_of_row[rows], checked.amount_minor[rows] - checked.discount_minor[rows])
    outcomes.use(shipping & (order_of_row >= 0), SHIPPING)
    outcomes.reject(shipping, "is shipping of an order without other lines")
    return whole


def _distribute(whole: Index, order: Index, weights: Index) -> Index:
    """Divide each order's amount among its lines, by their weights; the parts add up to the amount.

    `order` ascends. Each part is the difference of the rounded-down cumulative shares.
    """
    parts = np.zeros(len(order), np.int64)
    starts = np.searchsorted(order, np.arange(len(whole) + 1)).tolist()
    for index in np.flatnonzero(whole).tolist():
        start, end = starts[index], starts[index + 1]
        amount, total, so_far, given = int(whole[index]), int(weights[start:end].sum()), 0, 0
        for line, weight in enumerate(weights[start:end].tolist(), start):
            so_far += weight
            share = amount * so_far // total
            parts[line] = share - given
            given = share
    return parts


def _split(rows: Index, order: Index, units: Index, amount: Index, extras: dict[str, Index]) -> OrderLines:
    """Return the lines of rows: two if the amount is no multiple of the units."""
    price, dearer = amount // units, amount % units
    cheap, dear = units - dearer, dearer
    repeats = np.where(dear > 0, 2, 1)
    source = np.repeat(np.arange(len(rows)), repeats)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(repeats)])[:-1]
    second = np.zeros(len(source), bool)
    second[starts[dear > 0] + 1] = True
    quantity = np.where(second, dear[source], cheap[source])
    unit_price = price[source] + second
    first_gross = cheap * price
    parts = {}
    for name, values in extras.items():
        of_first = values.copy()
        for row in np.flatnonzero((dear > 0) & (values > 0)).tolist():
            of_first[row] = int(values[row]) * int(first_gross[row]) // int(amount[row])
        parts[name] = np.where(second, (values - of_first)[source], of_first[source])
    of_order = order[source]
    number = np.arange(len(source)) - np.searchsorted(of_order, of_order) + 1
    return OrderLines(
        order=of_order,
        row=rows[source],
        number=number,
        quantity=quantity,
        unit_price_minor=unit_price,
        discount_minor=parts["discount"],
        shipping_minor=parts["shipping"],
        tax_minor=parts["tax"],
    )


def order_amounts(table: LineTable, order: Index, orders: int, name: str) -> Index:
    """Return an amount of each whole order: that of its rows, which repeat it or leave it out."""
    result = np.zeros(orders, np.int64)
    rows = np.flatnonzero(order >= 0)
    np.maximum.at(result, order[rows], table.amounts[name][rows])
    return result


def check_sizes(lines: OrderLines, codes: NDArray[np.int32], table: LineTable) -> None:
    """Refuse an order that no event can hold. `codes` are those of the order ids.

    Raises:
        UserError: an order has more than `MAX_LINES` lines.
    """
    sizes = np.bincount(lines.order, minlength=len(codes))
    if len(sizes) and sizes.max() > MAX_LINES:
        order_id = table.codes["order"].values()[codes[int(sizes.argmax())]]
        raise UserError(
            f"order {order_id!r} has {sizes.max():,} lines, and an event can have {MAX_LINES:,}: is `order` "
            "in the mapping the column that identifies an order?"
        )
