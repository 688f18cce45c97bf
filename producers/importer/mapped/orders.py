"""Groups rows into orders with lines, to the smallest coin."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from producers.importer.columns import first_by, number_within, sum_by
from producers.importer.dataset import ConversionFindings
from producers.importer.mapped.cells import EMPTY, NO_CODE, has_value, pseudonym
from producers.importer.mapped.line_table import (
    CANCELLED,
    NO_STATUS,
    OTHER_STATUS,
    RETURNED,
    UNPAID,
    LineTable,
)
from producers.importer.mapped.mapping import Mapping
from producers.importer.mapped.outcomes import Mask, Outcomes
from producers.importer.mapped.row_rules import CheckedLines

Index = NDArray[np.int64]

MAX_LINES = 5_000
"""Lines of an order: an event with more could exceed what Kafka accepts."""

SHIPPING = "shipping of an order"

SALE = "sale"
CANCELLED_SALE = "sale of a cancelled order"
UNPAID_SALE = "sale of an unpaid order"
RETURNED_SALE = "sale that was returned"


_MAX_SHOPPER_IN_ORDER = 60
"""Characters of a shopper's id that are a part of an order's id; of a longer one, its digest is."""


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


@dataclass(frozen=True)
class Orders:
    """n orders in the order of their times.

    `code` is that of the order id, `shopper` that of the shopper (`NO_CODE` for a guest). `status` is
    CANCELLED, UNPAID or OTHER_STATUS. `cancelled_at` is EMPTY if no row says when.
    """

    code: NDArray[np.int32]
    placed_at: Index
    shopper: NDArray[np.int32]
    status: NDArray[np.int8]
    cancelled_at: Index
    payment: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True)
class _Groups:
    """Which order each row belongs to: an index, or -1. `sales` are the rows that become lines."""

    codes: NDArray[np.int32]
    order: Index
    sales: Index

    @staticmethod
    def of(order_code: NDArray[np.int32], sale: Mask, codes: int) -> "_Groups":
        sales = np.flatnonzero(sale)
        unique = np.unique(order_code[sales])
        index = np.full(codes + 1, -1, np.int64)  # the last element is that of NO_CODE
        index[unique] = np.arange(len(unique))
        return _Groups(unique, index[np.maximum(order_code, NO_CODE)], sales)

    def first(self, rows: Mask, values: NDArray[np.generic], default: int) -> NDArray[np.generic]:
        """Return, for each order, the value of its first row among `rows`."""
        return first_by(self.order, len(self.codes), values, rows, default)


def build_orders(
    table: LineTable,
    checked: CheckedLines,
    mapping: Mapping,
    outcomes: Outcomes,
    findings: ConversionFindings,
) -> tuple[Orders, OrderLines]:
    """Return the orders and their lines; the rows that become lines are decided afterwards.

    Raises:
        UserError: an order has more than `MAX_LINES` lines.
    """
    order_code = _order_codes(table, checked, mapping, outcomes)
    sale = ~checked.is_return & ~checked.is_shipping

    def groups() -> _Groups:
        return _Groups.of(order_code, sale & outcomes.pending, len(table.codes["order"]))

    status = _row_statuses(table, groups())
    _reject_partly(groups(), status, outcomes)
    placed_at = _placed_at(table, groups())
    own = groups()
    outcomes.reject(own.sales[placed_at[own.order[own.sales]] == EMPTY], "the time is empty")
    _reject_large_discounts(table, checked, mapping, groups(), outcomes)

    own = groups()
    placed_at = _placed_at(table, own)
    by_time = np.lexsort((own.first(sale & outcomes.pending, np.arange(len(table)), 0), placed_at))
    orders = Orders(
        code=own.codes[by_time],
        placed_at=placed_at[by_time],
        shopper=own.first(table.fields["shopper"] >= 0, table.fields["shopper"], NO_CODE)[by_time],
        status=own.first(sale & outcomes.pending, status, OTHER_STATUS)[by_time],
        cancelled_at=own.first(has_value(table.cancelled_at), table.cancelled_at, EMPTY)[by_time],
        payment=own.first(table.fields["payment"] >= 0, table.fields["payment"], NO_CODE)[by_time],
    )
    orders.status[orders.status == RETURNED] = OTHER_STATUS
    rank = np.argsort(by_time)
    order_of_row = np.where(own.order >= 0, rank[own.order] if len(rank) else -1, -1)
    lines = build_lines(table, checked, mapping, outcomes, own.sales, order_of_row, len(orders))
    check_sizes(lines, orders.code, table)
    _note_disagreements(table, own, findings)
    _use_sales(own.sales, status, orders.status[order_of_row[own.sales]], outcomes)
    return orders, lines


def _use_sales(
    sales: Index, status: NDArray[np.int8], order_status: NDArray[np.int8], outcomes: Outcomes
) -> None:
    """Decide about the rows that become lines, by the status of their order and their own."""
    for chosen, what in (
        (order_status == CANCELLED, CANCELLED_SALE),
        (order_status == UNPAID, UNPAID_SALE),
        (status[sales] == RETURNED, RETURNED_SALE),
        (np.ones(len(sales), bool), SALE),
    ):
        outcomes.use(sales[chosen], what)


def _order_codes(
    table: LineTable, checked: CheckedLines, mapping: Mapping, outcomes: Outcomes
) -> NDArray[np.int32]:
    """Return the order's code of each row. Sales without an order id get one, as the mapping says."""
    codes = table.fields["order"].copy()
    lacking = (codes == NO_CODE) & outcomes.pending & ~checked.is_return
    outcomes.reject(lacking & (table.time == EMPTY), "neither the order nor the time has a value")
    rows = np.flatnonzero(lacking & outcomes.pending)
    shoppers = table.codes["shopper"].values()
    seen: Counter[int] = Counter()
    for row in rows.tolist():
        shopper = int(table.fields["shopper"][row])
        if mapping.order.otherwise == "shopper_and_time" and shopper >= 0:
            at = datetime.fromtimestamp(int(table.time[row]) / 1000, UTC)
            who = shoppers[shopper]
            if (mapping.shopper and mapping.shopper.hash) or len(who) > _MAX_SHOPPER_IN_ORDER:
                who = pseudonym(mapping.name, who)
            order_id = f"{who}-{at:%Y%m%d%H%M%S}"
        else:
            digest = int(table.digest[row])
            seen[digest] += 1
            order_id = f"row-{digest:016x}" + (f"-{seen[digest]}" if seen[digest] > 1 else "")
        codes[row] = table.codes["order"].code(order_id)
    return codes


def _row_statuses(table: LineTable, groups: _Groups) -> NDArray[np.int8]:
    """Return the status of each row. A row without one has that of its order."""
    stated = table.status != NO_STATUS
    of_order = groups.first(stated, table.status, OTHER_STATUS)
    inherited = of_order[groups.order] if len(of_order) else np.zeros(len(table), np.int8)
    status = np.where(stated, table.status, np.where(groups.order >= 0, inherited, OTHER_STATUS))
    ended = groups.first(has_value(table.cancelled_at), table.cancelled_at, EMPTY)
    if len(ended):
        status[(groups.order >= 0) & (ended[groups.order] != EMPTY)] = CANCELLED
    return status.astype(np.int8)


def _reject_partly(groups: _Groups, status: NDArray[np.int8], outcomes: Outcomes) -> None:
    """Reject the cancelled and the unpaid lines of orders that have other lines, too."""
    of_sales = groups.order[groups.sales]
    for code, word in ((CANCELLED, "cancelled"), (UNPAID, "unpaid")):
        with_it = np.bincount(of_sales[status[groups.sales] == code], minlength=len(groups.codes))
        partly = (with_it > 0) & (with_it < np.bincount(of_sales, minlength=len(groups.codes)))
        rows = groups.sales[partly[of_sales] & (status[groups.sales] == code)]
        outcomes.reject(rows, f"the line is {word}, other lines of its order are not")


def _placed_at(table: LineTable, groups: _Groups) -> Index:
    """Return the earliest time of each order's lines, or else of any of its rows; EMPTY without one."""
    given = np.flatnonzero((groups.order >= 0) & has_value(table.time))
    latest = np.iinfo(np.int64).max
    result = np.full(len(groups.codes), latest)
    in_lines = np.intersect1d(given, groups.sales, assume_unique=True)
    np.minimum.at(result, groups.order[in_lines], table.time[in_lines])
    elsewhere = given[result[groups.order[given]] == latest]
    others = result.copy()
    np.minimum.at(others, groups.order[elsewhere], table.time[elsewhere])
    return np.where(others == latest, EMPTY, others)


def _reject_large_discounts(
    table: LineTable, checked: CheckedLines, mapping: Mapping, groups: _Groups, outcomes: Outcomes
) -> None:
    if mapping.discount is None or mapping.discount.of != "order":
        return
    discount = order_amounts(table, groups.order, len(groups.codes), "discount")
    of_sales = groups.order[groups.sales]
    goods = sum_by(of_sales, len(groups.codes), checked.amount_minor[groups.sales])
    too_large = groups.sales[(discount > goods)[of_sales]]
    outcomes.reject(too_large, "the discount of the order is above its lines")


def _note_disagreements(table: LineTable, groups: _Groups, findings: ConversionFindings) -> None:
    order = groups.order[groups.sales]

    def differing(values: NDArray[np.generic], known: Mask) -> int:
        pairs = np.unique(np.stack([order[known], values[known].astype(np.int64)]), axis=1)
        return int((np.bincount(pairs[0]) > 1).sum()) if pairs.size else 0

    shopper, time = table.fields["shopper"][groups.sales], table.time[groups.sales]
    findings.note(differing(shopper, shopper >= 0), "orders have rows of several shoppers: the first counts")
    findings.note(
        differing(time, has_value(time)), "orders have rows with several times: placed at the earliest"
    )


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
    extras: dict[str, Index] = {}
    for name in ("discount", "shipping", "tax"):
        field = getattr(mapping, name)
        of_line, whole = np.zeros(len(rows), np.int64), np.zeros(orders, np.int64)
        if field is not None and field.of == "order":
            whole = order_amounts(table, order_of_row, orders, name)
        elif field is not None:
            of_line = table.amounts[name][rows]
        if name == "shipping":
            whole = whole + _shipping_rows(checked, outcomes, order_of_row, orders)
        extras[name] = of_line + _distribute(whole, order, amount)
    return _split(rows, order, units, amount, extras)


def _shipping_rows(checked: CheckedLines, outcomes: Outcomes, order_of_row: Index, orders: int) -> Index:
    """Return the sum of each order's rows that are shipping, and decide these rows."""
    shipping = checked.is_shipping & outcomes.pending
    rows = np.flatnonzero(shipping & (order_of_row >= 0))
    outcomes.use(rows, SHIPPING)
    outcomes.reject(shipping, "is shipping of an order without other lines")
    return sum_by(order_of_row[rows], orders, checked.amount_minor[rows] - checked.discount_minor[rows])


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
    price, dear = np.divmod(amount, units)
    cheap = units - dear
    source = np.repeat(np.arange(len(rows)), np.where(dear > 0, 2, 1))
    second = number_within(source) == 2
    first_gross = cheap * price
    parts = {}
    for name, values in extras.items():
        of_first = values.copy()
        for row in np.flatnonzero((dear > 0) & (values > 0)).tolist():
            of_first[row] = int(values[row]) * int(first_gross[row]) // int(amount[row])
        parts[name] = np.where(second, (values - of_first)[source], of_first[source])
    of_order = order[source]
    return OrderLines(
        order=of_order,
        row=rows[source],
        number=number_within(of_order),
        quantity=np.where(second, dear[source], cheap[source]),
        unit_price_minor=price[source] + second,
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
