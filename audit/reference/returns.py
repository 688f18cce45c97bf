"""Returns: what came back, when it came back, and what was paid back, when it was paid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from audit.reference.arithmetic import Value, each, ratio
from audit.reference.shop import REFUND, Shop, lines_of, once
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
    came_back = filter(shop.is_in_currency, once(shop.events("order_returned"), "return_id"))
    for received, line in lines_of(came_back):
        returns = sheet.at(received["seller_id"], received["occurred_at"])
        returns.received.add(received["return_id"])
        returns.units_received += line["quantity"]
        if line["restocked"]:
            returns.units_restocked += line["quantity"]
    for refund, line in lines_of(shop.refunds()):
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
