"""Funnel: how far visits get, from the first view of a seller's offer to a paid order."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from audit.reference.arithmetic import MINUTE_MS, Value, ratio
from audit.reference.shop import Shop
from audit.reference.totals import Sheet

EVENTS = {
    "product_viewed": ("session_id", "seller_id"),
    "cart_changed": ("session_id", "seller_id", "quantity_before", "quantity", "reason"),
    "search_performed": ("session_id",),
    "recommendation_clicked": ("session_id",),
    "order_placed": ("session_id", "order_id", "lines"),
    "order_confirmed": ("order_id", "placed_at"),
}
BREAK_MS = 30 * MINUTE_MS
"""A pause of this length ends a visit."""


class Action(NamedTuple):
    """What a visitor did. `owner` is the seller whom it is about; it is empty if it is about none."""

    at_ms: int
    kind: str
    owner: str
    order_id: str


@dataclass(slots=True)
class Funnel:
    """The visits of a time that reached each step."""

    viewed: int = 0
    carted: int = 0
    ordered: int = 0
    paid: int = 0


def collect(shop: Shop, sheet: Sheet[Funnel]) -> None:
    """Count each visit when it first viewed an offer of the seller.

    If all sellers are one, the steps of a visit may be about different ones.
    """
    confirmed = {each["order_id"] for each in shop.events("order_confirmed") if each["placed_at"] is not None}
    for actions in sessions(shop, sheet).values():
        for visit in visits(actions):
            for owner in {each.owner for each in visit if each.kind == "view" and each.owner}:
                own = [each for each in visit if each.owner == owner]
                viewed_ms = min(each.at_ms for each in own if each.kind == "view")
                carted, ordered, paid = steps_after_view(own, viewed_ms, confirmed)
                funnel = sheet.at(owner, viewed_ms)
                funnel.viewed += 1
                funnel.carted += carted
                funnel.ordered += ordered
                funnel.paid += paid


def sessions(shop: Shop, sheet: Sheet[Funnel]) -> Mapping[str, list[Action]]:
    """Return what was done in each session of a browser."""
    found: dict[str, list[Action]] = defaultdict(list)

    def add(session_id: str, at_ms: int, kind: str, seller_id: str | None, order_id: str = "") -> None:
        owner = sheet.owner(seller_id) if seller_id else ""
        found[session_id].append(Action(at_ms, kind, owner, order_id))

    for view in shop.events("product_viewed"):
        add(view["session_id"], view["occurred_at"], "view", view["seller_id"])
    for cart in shop.events("cart_changed"):
        if cart["quantity"] > cart["quantity_before"] and cart["reason"] is None:
            add(cart["session_id"], cart["occurred_at"], "cart", cart["seller_id"])
    for kind in ("search_performed", "recommendation_clicked"):
        for event in shop.events(kind):
            add(event["session_id"], event["occurred_at"], "other", None)
    for order in shop.events("order_placed"):
        if order["session_id"] is not None:
            for seller_id in {line["seller_id"] for line in order["lines"]} or {None}:
                add(order["session_id"], order["occurred_at"], "order", seller_id, order["order_id"])
    return found


def visits(actions: Iterable[Action]) -> Iterator[list[Action]]:
    """Yield the visits of a session: its actions in the order of time, cut at its breaks."""
    visit: list[Action] = []
    for action in sorted(actions):
        if visit and action.at_ms - visit[-1].at_ms >= BREAK_MS:
            yield visit
            visit = []
        visit.append(action)
    if visit:
        yield visit


def steps_after_view(own: list[Action], viewed_ms: int, confirmed: set[str]) -> tuple[bool, bool, bool]:
    """Return whether a visit put something into the cart, ordered, and paid: each after the step before."""
    carted_ms = min(
        (each.at_ms for each in own if each.kind == "cart" and each.at_ms >= viewed_ms), default=None
    )
    if carted_ms is None:
        return False, False, False
    orders = {each.order_id for each in own if each.kind == "order" and each.at_ms >= carted_ms}
    return True, bool(orders), bool(orders & confirmed)


FORMULAS: Mapping[str, Callable[[Funnel], Value]] = {
    "visits_viewed": lambda funnel: funnel.viewed,
    "visits_carted": lambda funnel: funnel.carted,
    "visits_ordered": lambda funnel: funnel.ordered,
    "visits_paid": lambda funnel: funnel.paid,
    "view_to_cart_rate": lambda funnel: ratio(funnel.carted, funnel.viewed),
    "cart_to_order_rate": lambda funnel: ratio(funnel.ordered, funnel.carted),
    "order_to_paid_rate": lambda funnel: ratio(funnel.paid, funnel.ordered),
    "visit_conversion_rate": lambda funnel: ratio(funnel.paid, funnel.viewed),
    "cart_abandonment_rate": lambda funnel: ratio(funnel.carted - funnel.ordered, funnel.carted),
    "checkout_abandonment_rate": lambda funnel: ratio(funnel.ordered - funnel.paid, funnel.ordered),
}
