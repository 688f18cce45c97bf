"""Turns orders, lines and returns into events. Their values are computed when they are sent."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.ids import derived_event_id
from producers.feed.events import Events, LazyColumn, Rows
from producers.importer.columns import first_and_last, sum_by
from producers.importer.mapped.cells import EMPTY, GUEST, pseudonym
from producers.importer.mapped.countries import country_codes
from producers.importer.mapped.line_table import CANCELLED, OTHER_STATUS, LineTable
from producers.importer.mapped.mapping import Mapping
from producers.importer.mapped.orders import Index, OrderLines, Orders
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
        prefix, known = self.mapping.id_prefix, self.ids_of_shoppers
        return [
            known[code] if code >= 0 else f"{prefix}{GUEST}{order_id.removeprefix(prefix)}"
            for code, order_id in zip(self.orders.shopper.tolist(), self.order_ids, strict=True)
        ]

    @cached_property
    def ids_of_shoppers(self) -> list[str]:
        """The shopper id of each code."""
        values, mapping = self.table.codes["shopper"].values(), self.mapping
        if mapping.shopper and mapping.shopper.hash:
            values = [pseudonym(mapping.name, value) for value in values]
        return [mapping.id_prefix + value for value in values]

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
    def starts(self) -> Index:
        """The first line of each order and, at the end, the number of lines."""
        return np.searchsorted(self.lines.order, np.arange(len(self.orders) + 1))

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


def sellers(source: EventSource) -> Events:
    """Return seller_registered: each seller, at its first order."""
    lines = source.lines
    codes = source.table.fields["seller"]
    found, first, last = first_and_last(codes[lines.row], source.orders.placed_at[lines.order])
    name_of = source.first_text("seller_name", codes, len(source.table.codes["seller"]))
    ids = [source.seller_ids[code] for code in found.tolist()]
    own_name = source.mapping.seller.name
    nothing = [None] * len(ids)
    columns: dict[str, list[Any]] = {
        "seller_id": ids,
        "name": [name_of(code) or own_name for code in found.tolist()],
        "zip_prefix": nothing, "city": nothing, "state": nothing, "country": nothing,
    }  # fmt: skip
    return Events(
        "seller_registered", source.name, first, columns, ("seller_id",), "seller_id", needed_until=last
    )


def shoppers(source: EventSource) -> Events:
    """Return shopper_registered: each shopper with an id, at the first order."""
    known = source.orders.shopper >= 0
    found, first, last = first_and_last(source.orders.shopper[known], source.orders.placed_at[known])
    country = source.mapping.country
    text_of = source.first_text("country", source.table.fields["shopper"], len(source.table.codes["shopper"]))
    to_code = country_codes(country.values if country else {})
    ids = [source.ids_of_shoppers[code] for code in found.tolist()]
    nothing = [None] * len(ids)
    columns: dict[str, list[Any]] = {
        "shopper_id": ids,
        "zip_prefix": nothing, "city": nothing, "state": nothing,
        "country": [to_code(text_of(code)) for code in found.tolist()],
    }  # fmt: skip
    return Events(
        "shopper_registered", source.name, first, columns, ("shopper_id",), "shopper_id", needed_until=last
    )


def products(source: EventSource) -> Events:
    """Return product_listed: each product of each seller, with the time and the price of the first sale."""
    lines, table = source.lines, source.table
    product, seller = table.fields["product"][lines.row], table.fields["seller"][lines.row]
    pair = product.astype(np.int64) * (len(table.codes["seller"]) + 1) + seller + 1
    _, first, last = first_and_last(pair, source.orders.placed_at[lines.order])
    _, line = np.unique(pair, return_index=True)
    codes, count = table.fields["product"], len(table.codes["product"])
    name_of = source.first_text("product_name", codes, count)
    category_of = source.first_text("category", codes, count)
    found = product[line].tolist()
    nothing = [None] * len(found)
    columns: dict[str, list[Any]] = {
        "product_id": [source.product_ids[code] for code in found],
        "seller_id": [source.seller_ids[code] for code in seller[line].tolist()],
        "name": [name_of(code) for code in found],
        "category": [category_of(code) for code in found],
        "currency": [source.mapping.currency.only] * len(found),
        "price_minor": lines.unit_price_minor[line].tolist(),
        "weight_g": nothing, "length_cm": nothing, "height_cm": nothing, "width_cm": nothing,
        "photos": nothing,
    }  # fmt: skip
    return Events(
        "product_listed",
        source.name,
        first,
        columns,
        ("product_id", "seller_id"),
        "product_id",
        needed_until=last,
    )


def placed(source: EventSource) -> Events:
    """Return order_placed: every order."""
    orders = np.arange(len(source.orders))
    columns = _of_orders(source, orders) | {
        "lines": _lines_column(source, orders),
        "estimated_delivery_at": [None] * len(orders),
        "session_id": [None] * len(orders),
    }
    return Events("order_placed", source.name, source.orders.placed_at, columns, ("order_id",), "order_id")


def captured(source: EventSource) -> Events:
    """Return payment_captured: one for each confirmed order, at its time and with the sum of its lines."""
    orders = _with_status(source, OTHER_STATUS)
    sums = sum_by(source.lines.order, len(source.orders), source.lines.amount_minor)
    payment = source.mapping.payment
    methods = {text.casefold(): method for text, method in payment.values.items()} if payment else {}
    values = source.table.codes["payment"].values()
    of_code = [*(methods.get(value.casefold(), "unknown") for value in values), "unknown"]
    columns: dict[str, Sequence[Any]] = {
        "payment_id": [payment_id(source, order) for order in orders.tolist()],
        "order_id": source.of_orders(source.order_ids, orders),
        "shopper_id": source.of_orders(source.shopper_ids, orders),
        "method": [of_code[code] for code in source.orders.payment[orders].tolist()],
        "installments": [1] * len(orders),
        "currency": [source.mapping.currency.only] * len(orders),
        "amount_minor": sums[orders].tolist(),
    }
    return caused(source, "payment_captured", source.orders.placed_at[orders], columns, "payment_id", orders)


def confirmed(source: EventSource) -> Events:
    """Return order_confirmed: each order that is neither cancelled nor unpaid, at its time."""
    orders = _with_status(source, OTHER_STATUS)
    columns = _of_orders(source, orders) | {
        "placed_at": source.orders.placed_at[orders].tolist(),
        "lines": _lines_column(source, orders),
    }
    return caused(source, "order_confirmed", source.orders.placed_at[orders], columns, "order_id", orders)


def cancelled(source: EventSource) -> Events:
    """Return order_cancelled: each cancelled order, at its recorded time or else at the order's."""
    orders = _with_status(source, CANCELLED)
    placed_at, cancelled_at = source.orders.placed_at[orders], source.orders.cancelled_at[orders]
    columns = _of_orders(source, orders) | {
        "reason": ["unknown"] * len(orders),
        "placed_at": placed_at.tolist(),
        "lines": _lines_column(source, orders),
        "confirmed_at": [None] * len(orders),
    }
    at = np.maximum(placed_at, np.where(cancelled_at == EMPTY, placed_at, cancelled_at))
    return caused(source, "order_cancelled", at, columns, "order_id", orders)


def _with_status(source: EventSource, status: int) -> Rows:
    return np.flatnonzero(source.orders.status == status)


def _of_orders(source: EventSource, orders: Rows) -> dict[str, Sequence[Any]]:
    return {
        "order_id": source.of_orders(source.order_ids, orders),
        "shopper_id": source.of_orders(source.shopper_ids, orders),
        "currency": [source.mapping.currency.only] * len(orders),
    }


def _lines_column(source: EventSource, orders: Rows) -> LazyColumn:
    """Return the `lines` of these orders, as records of the schema."""
    lines, starts, fields = source.lines, source.starts, source.table.fields

    def records(rows: Rows) -> list[Any]:
        return [records_of(starts[row], starts[row + 1]) for row in rows.tolist()]

    def records_of(start: int, end: int) -> list[dict[str, Any]]:
        own = lines.row[start:end]
        return [
            {
                "line_number": number,
                "product_id": source.product_ids[product],
                "seller_id": source.seller_ids[seller],
                "quantity": quantity,
                "unit_price_minor": price,
                "discount_minor": discount,
                "shipping_minor": shipping,
                "tax_minor": tax,
                "commission_bp": 0,
            }
            for number, product, seller, quantity, price, discount, shipping, tax in zip(
                lines.number[start:end].tolist(),
                fields["product"][own].tolist(),
                fields["seller"][own].tolist(),
                lines.quantity[start:end].tolist(),
                lines.unit_price_minor[start:end].tolist(),
                lines.discount_minor[start:end].tolist(),
                lines.shipping_minor[start:end].tolist(),
                lines.tax_minor[start:end].tolist(),
                strict=True,
            )
        ]

    return LazyColumn(records, orders)


def returned(source: EventSource) -> Events:
    """Return order_returned. Whether the goods can be sold again is not known: `restocked` is false."""
    columns = _of_returns(source) | {
        "shipment_id": [None] * len(source.returns),
        "reason": ["unknown"] * len(source.returns),
        "lines": [_returned_lines(source, each, {"restocked": False}) for each in source.returns],
    }
    orders = np.array([each.order for each in source.returns], np.int64)
    at = np.array([each.at for each in source.returns], np.int64)
    return caused(source, "order_returned", at, columns, "return_id", orders)


def refunded(source: EventSource) -> Events:
    """Return payment_refunded: one for each return, at its time."""
    of_returns = _of_returns(source)
    columns = of_returns | {
        "refund_id": [f"{return_id}-refund" for return_id in of_returns["return_id"]],
        "payment_id": [payment_id(source, each.order) for each in source.returns],
        "amount_minor": [each.refund_minor for each in source.returns],
        "reason": ["order_returned"] * len(source.returns),
        "lines": [_returned_lines(source, each, {}) for each in source.returns],
    }
    at = np.array([each.at for each in source.returns], np.int64)
    causes = [
        derived_event_id(each.at, source.name, "order_returned", return_id)
        for each, return_id in zip(source.returns, of_returns["return_id"], strict=True)
    ]
    return Events("payment_refunded", source.name, at, columns, ("refund_id",), "order_id", causes=causes)


def _of_returns(source: EventSource) -> dict[str, Sequence[Any]]:
    number: Counter[int] = Counter()
    ids = []
    for each in source.returns:
        number[each.order] += 1
        ids.append(f"{source.order_ids[each.order]}-return-{number[each.order]}")
    orders = [each.order for each in source.returns]
    return {
        "return_id": ids,
        "order_id": [source.order_ids[order] for order in orders],
        "shopper_id": [source.shopper_ids[order] for order in orders],
        "seller_id": [source.seller_ids[each.seller] for each in source.returns],
        "placed_at": source.orders.placed_at[orders].tolist() if orders else [],
        "currency": [source.mapping.currency.only] * len(orders),
    }


def _returned_lines(source: EventSource, each: Returned, more: dict[str, Any]) -> list[dict[str, Any]]:
    products, lines = source.table.fields["product"], source.lines
    return [
        {
            "line_number": int(lines.number[line]),
            "product_id": source.product_ids[products[lines.row[line]]],
            "quantity": units,
            "refund_minor": refund_minor,
            **more,
        }
        for line, (units, refund_minor) in sorted(each.lines.items())
    ]


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


MAKERS = (sellers, shoppers, products, placed, captured, confirmed, cancelled, returned, refunded)
"""The conversions. Events with equal times are sent in this order."""
