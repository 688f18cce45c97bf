"""Products: views of offers, units in stock at the end of a time, and full hours without stock.

Of each hour in which a product that sells had no stock, there is an estimate of what was not sold. What
followed from changes of prices is in `price_changes.py`.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from audit.reference.arithmetic import DAY_MS, HOUR_MS, Value, half_up, minute, quantile, ratio
from audit.reference.price_changes import Turn, measured_changes
from audit.reference.shop import CANCELLATION, ORDER, Shop, after_discount, lines_of, once
from audit.reference.totals import Sheet

PACE_HOURS = 28 * 24
"""How fast a product sells is measured over so many hours before it was sold out."""

LONGEST_HOURS = 28 * 24
"""After so many hours without stock, a product is given up."""

FEWEST_HOURS_IN_STOCK = 24
"""With fewer hours in stock before, it is not known how fast a product sells."""


class Sale(NamedTuple):
    """Units of a product and their price after discounts; both are below 0 for a cancelled line."""

    at_ms: int
    units: int
    amount: int


class StockLevel(NamedTuple):
    """The units of a product that can be bought from a moment on."""

    at_ms: int
    available: int


class HourWithoutStock(NamedTuple):
    """A full hour, such as 14:00, at which a product had no stock."""

    starts_ms: int
    units_lost: int
    amount_lost: int


def outages(levels: list[StockLevel], sales: list[Sale], now_ms: int) -> Iterator[HourWithoutStock]:
    """Yield the hours without stock of a product, up to now. `levels` are in the order of their versions."""
    stocked, empty = _hours(levels, _hour_from(now_ms))
    first_hour = _hour_from(levels[0].at_ms)
    for outage in empty:
        started = outage[0]
        paced_from = max(started - PACE_HOURS, first_hour)
        before = [sale for sale in sales if paced_from <= sale.at_ms // HOUR_MS < started]
        units, amount = sum(sale.units for sale in before), sum(sale.amount for sale in before)
        if units <= 0:
            continue  # it does not sell
        hours_in_stock = len(stocked.intersection(range(paced_from, started)))
        if hours_in_stock < FEWEST_HOURS_IN_STOCK:
            units = amount = 0
        for passed, hour in enumerate(outage[:LONGEST_HOURS], start=1):
            yield HourWithoutStock(
                hour * HOUR_MS,
                _lost(units, passed, hours_in_stock) - _lost(units, passed - 1, hours_in_stock),
                _lost(amount, passed, hours_in_stock) - _lost(amount, passed - 1, hours_in_stock),
            )


def _hours(levels: list[StockLevel], end: int) -> tuple[set[int], list[list[int]]]:
    """Return the numbers of the full hours with stock, and those without, in runs; `end` is excluded."""
    stocked: set[int] = set()
    empty: list[list[int]] = []
    hour = _hour_from(levels[0].at_ms)
    was_empty = False
    for number, level in enumerate(levels):
        is_last = number + 1 == len(levels)
        until = max(hour, end if is_last else _hour_from(levels[number + 1].at_ms))
        if level.available > 0:
            stocked.update(range(hour, until))
        elif was_empty:
            empty[-1] += range(hour, until)
        else:
            empty.append(list(range(hour, until)))
        was_empty = level.available == 0
        hour = until
    return stocked, [run for run in empty if run]


def _lost(sold: int, hours: int, hours_in_stock: int) -> int:
    """Return what would be sold in some hours at the pace of the hours in stock, rounded half up."""
    return half_up(sold * hours, hours_in_stock) if sold else 0


def _hour_from(moment_ms: int) -> int:
    """Return the number of the first full hour at or after a moment."""
    return -(-moment_ms // HOUR_MS)


PRICED = ("seller_id", "product_id", "currency", "price_minor")
OFFERS = {
    "product_listed": PRICED,
    "product_changed": PRICED,
    "product_delisted": ("seller_id", "product_id"),
}
"""The events that say from when on an offer has which price."""

EVENTS = {
    "product_viewed": ("session_id", "seller_id"),
    "order_confirmed": ORDER,
    "order_cancelled": CANCELLATION,
    "stock_changed": ("seller_id", "product_id", "version", "on_hand", "reserved"),
    **OFFERS,
}
PACE_DAYS = 28
"""How fast a product sells is measured over these days."""

Offer = tuple[str, str]
"""Seller and product."""


@dataclass(slots=True)
class OfferFigures:
    """What happened to offers in a time. The figures of stock are about products whose stock is known.

    `units_at_end` are in stock at the end, `units_before_end` were sold in the 28 days before it.
    """

    views: int = 0
    sessions: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    units: int = 0
    units_sold: int = 0
    units_at_end: int = 0
    units_before_end: int = 0
    hours_without_stock: int = 0
    units_lost: int = 0
    amount_lost: int = 0
    elasticities: list[int] = field(default_factory=list)


def collect(shop: Shop, sheet: Sheet[OfferFigures]) -> None:
    """Count views and orders, then follow the stock of each product."""
    for view in once(shop.events("product_viewed"), "event_id"):
        if view["seller_id"] is not None:
            products = sheet.at(view["seller_id"], view["occurred_at"])
            products.views += 1
            if view["session_id"]:
                products.sessions.add(view["session_id"])
    for order, line in lines_of(shop.sales()):
        products = sheet.at(line["seller_id"], order["placed_at"])
        products.orders.add(order["order_id"])
        products.units += line["quantity"]
    sold = units_sold(shop)
    for (seller_id, product_id), levels in stock_levels(shop).items():
        sales = sold[seller_id, product_id]
        for sale in sales:
            sheet.at(seller_id, sale.at_ms).units_sold += sale.units
        _stock_at_ends(seller_id, levels, sales, sheet)
        for hour in outages(levels, sales, shop.now_ms):
            products = sheet.at(seller_id, hour.starts_ms)
            products.hours_without_stock += 1
            products.units_lost += hour.units_lost
            products.amount_lost += hour.amount_lost
    for (seller_id, product_id), turns in price_turns(shop).items():
        units = [(sale.at_ms, sale.units) for sale in sold.get((seller_id, product_id), [])]
        for change in measured_changes(turns, units, shop.currency, shop.now_ms):
            sheet.at(seller_id, change.over_ms).elasticities.append(change.elasticity)


def units_sold(shop: Shop) -> Mapping[Offer, list[Sale]]:
    """Return what was sold of each offer, the oldest first: a cancelled order counts below 0."""
    sold: dict[Offer, list[Sale]] = defaultdict(list)
    for sign, orders in ((1, shop.sales()), (-1, shop.cancelled_sales())):
        for order, line in lines_of(orders):
            sale = Sale(minute(order["placed_at"]), sign * line["quantity"], sign * after_discount(line))
            sold[line["seller_id"], line["product_id"]].append(sale)
    for sales in sold.values():
        sales.sort()
    return sold


def stock_levels(shop: Shop) -> Mapping[Offer, list[StockLevel]]:
    """Return the stock of each offer after each change, in the order of the versions."""
    changes: dict[Offer, dict[int, StockLevel]] = defaultdict(dict)
    for change in shop.events("stock_changed"):
        level = StockLevel(change["occurred_at"], max(0, change["on_hand"] - change["reserved"]))
        changes[change["seller_id"], change["product_id"]][change["version"]] = level
    return {offer: [versions[number] for number in sorted(versions)] for offer, versions in changes.items()}


def price_turns(shop: Shop) -> Mapping[Offer, list[Turn]]:
    """Return when each offer got another price, or was delisted, in the order of time."""
    events = (each for kind in OFFERS for each in shop.events(kind))
    turns: dict[Offer, list[Turn]] = defaultdict(list)
    for event in once(events, "event_id"):
        price = (event["currency"], event["price_minor"]) if "currency" in event else None
        known = turns[event["seller_id"], event["product_id"]]
        if price != (known[-1].price if known else None):
            known.append(Turn(minute(event["occurred_at"]), price))
    return turns


def _stock_at_ends(
    seller_id: str, levels: list[StockLevel], sales: list[Sale], sheet: Sheet[OfferFigures]
) -> None:
    """Add what is in stock of a product at the end of each part of the time.

    A change that is recorded for a moment before the change that precedes it happened at that moment.
    """
    changed_ms = list(accumulate((level.at_ms for level in levels), max))
    sold_ms = [sale.at_ms for sale in sales]
    for end_ms in sheet.ends(seller_id, changed_ms[0]):
        known = bisect_left(changed_ms, end_ms)
        if known:
            products = sheet.at(seller_id, end_ms - 1)
            products.units_at_end += levels[known - 1].available
            first, last = (bisect_left(sold_ms, ms) for ms in (end_ms - PACE_DAYS * DAY_MS, end_ms))
            products.units_before_end += sum(sale.units for sale in sales[first:last])


def _decimals(ten_thousandths: int | None) -> float | None:
    return None if ten_thousandths is None else ten_thousandths / 10_000


FORMULAS: Mapping[str, Callable[[OfferFigures], Value]] = {
    "product_views": lambda products: products.views,
    "viewing_sessions": lambda products: len(products.sessions),
    "views_per_session": lambda products: ratio(products.views, len(products.sessions)),
    "orders_per_session": lambda products: ratio(len(products.orders), len(products.sessions)),
    "units_per_session": lambda products: ratio(products.units, len(products.sessions)),
    "units_in_stock": lambda products: products.units_at_end,
    "sell_through": lambda products: ratio(products.units_sold, products.units_sold + products.units_at_end),
    "days_of_supply": lambda products: ratio(PACE_DAYS * products.units_at_end, products.units_before_end),
    "hours_out_of_stock": lambda products: products.hours_without_stock,
    "lost_units_estimate": lambda products: products.units_lost,
    "lost_sales_estimate": lambda products: products.amount_lost,
    "price_elasticity": lambda products: _decimals(quantile(products.elasticities, 50)),
    "price_changes_measured": lambda products: len(products.elasticities),
}
