"""Returns: what came back, when it came back, and what was paid back, when it was paid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from audit.reference.arithmetic import Value, each, ratio
from audit.reference.shop import REFUND, Shop, once
from audit.reference.totals import Sheet

EVENTS = {"order_returned": ("return_id", "seller_id", "currency", "lines"), "payment_refunded": REFUND}


@dataclass(slots=True)
class Returns:
    """The returns of a time: those that came back, and those that were refunded."""

    received: set[str] = field(default_factory=set)
    units_received: int = 0
    units_restocked: int = 0
    refunded: set[str] = field(default_factory=set)
    units_refunded: int = 0
    amount_refunded: int = 0


def collect(shop: Shop, sheet: Sheet[Returns]) -> None:
    """Add up the lines of returns and of refunds."""
    for came_back in filter(shop.is_in_currency, once(shop.events("order_returned"), "return_id")):
        for line in came_back["lines"]:
            returns = sheet.at(came_back["seller_id"], came_back["occurred_at"])
            returns.received.add(came_back["return_id"])
            returns.units_received += line["quantity"]
            if line["restocked"]:
                returns.units_restocked += line["quantity"]
    for refund in shop.refunds():
        for line in refund["lines"]:
            returns = sheet.at(refund["seller_id"], refund["occurred_at"])
            returns.refunded.add(refund["return_id"])
            returns.units_refunded += line["quantity"]
            returns.amount_refunded += line["refund_minor"]


FORMULAS: Mapping[str, Callable[[Returns], Value]] = {
    "returns_received": lambda returns: len(returns.received),
    "units_received": lambda returns: returns.units_received,
    "restocked_share": lambda returns: ratio(returns.units_restocked, returns.units_received),
    "refunds": lambda returns: returns.amount_refunded,
    "refunded_units": lambda returns: returns.units_refunded,
    "average_refund": lambda returns: each(returns.amount_refunded, len(returns.refunded)),
}
