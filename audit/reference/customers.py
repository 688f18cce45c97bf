"""Customers: shoppers with a confirmed order that was not cancelled. An order counts when it was placed."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from audit.reference.arithmetic import Value, minute, quantile_hours, ratio
from audit.reference.shop import CANCELLATION, ORDER, Shop, lines_of
from audit.reference.totals import Sheet

EVENTS = {"order_confirmed": (*ORDER, "shopper_id"), "order_cancelled": CANCELLATION}


class CustomerOrder(NamedTuple):
    """An order of a customer, by its minute. Only one in the shop's currency is counted."""

    at_ms: int
    order_id: str
    is_counted: bool


@dataclass(slots=True)
class Customers:
    """The customers of a time. `new` had their first order in it, `repeating` a later one."""

    orders: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    repeating: set[str] = field(default_factory=set)
    since_order_before_ms: list[int] = field(default_factory=list)


def collect(shop: Shop, sheet: Sheet[Customers]) -> None:
    """Go through the orders of each customer of a seller.

    If all sellers are one, the first order at any of them is the first one.
    """
    for (owner, shopper_id), orders in orders_of_customers(shop, sheet.owner).items():
        for number, order in enumerate(orders):
            if order.is_counted:
                customers = sheet.at(owner, order.at_ms)
                customers.orders.add(order.order_id)
                customers.customers.add(shopper_id)
                (customers.repeating if number else customers.new).add(shopper_id)
        for earlier, later in pairwise(orders):
            if later.is_counted:
                sheet.at(owner, later.at_ms).since_order_before_ms.append(later.at_ms - earlier.at_ms)


def orders_of_customers(
    shop: Shop, owner: Callable[[str], str]
) -> Mapping[tuple[str, str], list[CustomerOrder]]:
    """Return (seller, shopper) → their orders in any currency that were not cancelled, the oldest first."""
    cancelled = {
        (line["seller_id"], event["order_id"])
        for event, line in lines_of(shop.events("order_cancelled"))
        if event["confirmed_at"] is not None
    }
    found: dict[tuple[str, str], set[CustomerOrder]] = defaultdict(set)
    for order, line in lines_of(shop.confirmed_orders()):
        if (line["seller_id"], order["order_id"]) not in cancelled:
            placed = CustomerOrder(minute(order["placed_at"]), order["order_id"], shop.is_in_currency(order))
            found[owner(line["seller_id"]), order["shopper_id"]].add(placed)
    return {who: sorted(orders) for who, orders in found.items()}


FORMULAS: Mapping[str, Callable[[Customers], Value]] = {
    "customers": lambda customers: len(customers.customers),
    "new_customers": lambda customers: len(customers.new),
    "new_customer_share": lambda customers: ratio(len(customers.new), len(customers.customers)),
    "returning_customer_share": lambda customers: ratio(
        len(customers.customers) - len(customers.new), len(customers.customers)
    ),
    "repeat_rate": lambda customers: ratio(len(customers.repeating), len(customers.customers)),
    "orders_per_customer": lambda customers: ratio(len(customers.orders), len(customers.customers)),
    "time_between_orders_median": lambda customers: quantile_hours(customers.since_order_before_ms, 50),
    "time_between_orders_p90": lambda customers: quantile_hours(customers.since_order_before_ms, 90),
}
