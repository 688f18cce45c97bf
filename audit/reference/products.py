"""Products: views of offers, units in stock at the end of a time, and hours without stock."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from audit.reference.arithmetic import DAY_MS, Value, minute, ratio
from audit.reference.outages import Sale, StockLevel, outages
from audit.reference.shop import CANCELLATION, ORDER, Shop, after_discount, once
from audit.reference.totals import Sheet

EVENTS = {
    "product_viewed": ("session_id", "seller_id"),
    "order_confirmed": ORDER,
    "order_cancelled": CANCELLATION,
    "stock_changed": ("seller_id", "product_id", "version", "on_hand", "reserved"),
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


def collect(shop: Shop, sheet: Sheet[OfferFigures]) -> None:
    """Count views and orders, then follow the stock of each product."""
    for view in once(shop.events("product_viewed"), "event_id"):
        if view["seller_id"] is not None:
            products = sheet.at(view["seller_id"], view["occurred_at"])
            products.views += 1
            if view["session_id"]:
                products.sessions.add(view["session_id"])
    for order in shop.sales():
        for line in order["lines"]:
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


def units_sold(shop: Shop) -> Mapping[Offer, list[Sale]]:
    """Return what was sold of each offer, the oldest first: a cancelled order counts below 0."""
    sold: dict[Offer, list[Sale]] = defaultdict(list)
    for sign, orders in ((1, shop.sales()), (-1, shop.cancelled_sales())):
        for order in orders:
            for line in order["lines"]:
                sale = Sale(minute(order["placed_at"]), sign * line["quantity"], sign * after_discount(line))
                sold[line["seller_id"], line["product_id"]].append(sale)
    for sales in sold.values():
        sales.sort()
    return sold


def stock_levels(shop: Shop) -> Mapping[Offer, list[StockLevel]]:
    """Return the stock of each offer after each change, in the order of the versions."""
    changes: dict[Offer, dict[int, StockLevel]] = defaultdict(dict)
    for change in shop.events("stock_changed"):
        available = max(0, change["on_hand"] - change["reserved"])
        level = StockLevel(change["occurred_at"], available)
        changes[change["seller_id"], change["product_id"]][change["version"]] = level
    return {offer: [versions[number] for number in sorted(versions)] for offer, versions in changes.items()}


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
}
