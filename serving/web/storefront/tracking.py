"""How far an order has come, as steps that a shopper can follow. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

State = Literal["done", "now", "ahead", "stopped"]

STEPS = ("placed", "reserved", "paid", "confirmed", "shipped", "delivered")
_NAMES = {
    "placed": "Placed",
    "reserved": "Stock reserved",
    "paid": "Paid",
    "confirmed": "Confirmed",
    "shipped": "Shipped",
    "delivered": "Delivered",
}
_FURTHEST = {"placed": 0, "confirmed": 3, "shipped": 4, "delivered": 5}
_OF_PARCELS = ("shipped", "delivered")

WAITS: dict[str, str] = {
    "placed": "We are setting your items aside and charging your card. This takes a moment.",
    "confirmed": "It is yours. The sellers are packing; each sends its own parcel.",
    "shipped": "On its way to you.",
    "delivered": "It has arrived. Enjoy!",
}

WHY_CANCELLED: dict[str, tuple[str, str]] = {
    "out_of_stock": (
        "Sold out",
        "Somebody was faster: one of these items was gone before we could set it aside. "
        "Your card was not charged.",
    ),
    "payment_failed": (
        "Your card was declined",
        "Your bank said no, so nothing was charged and the items went back on the shelf. "
        "Try again with another card.",
    ),
    "shopper_request": ("Cancelled", "You cancelled this order. What you paid comes back to your card."),
    "timed_out": (
        "It took too long",
        "The payment did not come through in time, so the items went back on the shelf. "
        "If you were charged, the money comes back.",
    ),
}
_CANCELLED = ("Cancelled", "This order was cancelled. What you paid, if anything, comes back to your card.")


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `at` where its time is known."""

    key: str
    name: str
    state: State
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Parcels:
    """How many an order has, one of each of its sellers, and how many of them have left and have arrived."""

    number: int
    left: int
    arrived: int

    @property
    def slowest(self) -> str:
        """The status that all of them have reached, once one has left."""
        if self.arrived == self.number:
            return "delivered"
        return "shipped" if self.left == self.number else "confirmed"

    @property
    def said(self) -> tuple[str, str] | None:
        """What some have done, and where the others are; None while all of them have done the same."""
        done, verb = (self.arrived, "arrived") if self.arrived else (self.left, "left")
        if done == self.number:
            return None
        others = ((self.left - done, "on the way to you"), (self.number - self.left, "still being packed"))
        where = ", ".join(f"{number} {_are(number)} {doing}" for number, doing in others if number)
        return f"{done} of {self.number} parcels {'has' if done == 1 else 'have'} {verb}", f"{where}."


@dataclass(frozen=True, slots=True)
class Tracking:
    """The steps of an order, and in words what it waits for or why it ended."""

    steps: list[Step]
    title: str
    said: str
    cancelled: bool
    refunded: bool
    ended: bool
    can_be_cancelled: bool
    every_s: int
    """How long to wait before looking again."""


def track(order: Mapping[str, Any]) -> Tracking:
    """What `GET /v1/orders/{id}` says, for people.

    Its status is that of the parcel that is furthest; here each step is done once all parcels have taken it.
    """
    payment, due_minor = order["payment"]["status"], order["payment"]["amount_minor"]
    parcels = _parcels(order) if order["status"] in _OF_PARCELS else None
    status = parcels.slowest if parcels else order["status"]
    times = {
        step["status"]: datetime.fromisoformat(step["at"])
        for step in order["history"]
        if step["status"] not in _OF_PARCELS or _FURTHEST[step["status"]] <= _FURTHEST.get(status, 0)
    }
    cancelled = status == "cancelled"
    reached = _reached(status, payment, times)
    if cancelled:
        title, said = WHY_CANCELLED.get(order.get("cancellation_reason") or "", _CANCELLED)
    else:
        title, said = (parcels and parcels.said) or (_title(status, reached), WAITS.get(status, ""))
    ended = cancelled or status == "delivered"
    refund_due = cancelled and payment == "captured" and due_minor > 0
    return Tracking(
        steps=[
            Step(key, _NAMES[key], _state(place, reached, cancelled, ended), times.get(key))
            for place, key in enumerate(STEPS)
        ],
        title=title,
        said=said,
        cancelled=cancelled,
        refunded=payment == "refunded",
        ended=ended and not refund_due,
        can_be_cancelled=order["status"] in ("placed", "confirmed"),
        every_s=1 if status == "placed" or refund_due else 4,
    )


def _parcels(order: Mapping[str, Any]) -> Parcels:
    """Those of an order of which at least one has left. What has arrived has left, be it told or not."""
    sellers = {line["seller_id"] for line in order["lines"]}
    arrived = max(_took(order, sellers, "delivered"), order["status"] == "delivered")
    return Parcels(len(sellers), max(_took(order, sellers, "shipped", "delivered"), arrived, 1), arrived)


def _took(order: Mapping[str, Any], sellers: Set[str], *statuses: str) -> int:
    """How many of an order's sellers took one of these steps. A step that is of nobody is of one more."""
    of = [(step["status"], step["seller_id"]) for step in order["history"] if step["status"] in statuses]
    nobodys = max(of.count((status, None)) for status in statuses)
    return min(len(sellers), len(sellers & {seller_id for _, seller_id in of}) + nobodys)


def _reached(status: str, payment: str, times: Mapping[str, datetime]) -> int:
    """The furthest of `STEPS` that is done. Money is taken only for what is reserved, so it tells of both."""
    paid = 2 if payment in ("captured", "refunded") else 0
    told = max((place for place, key in enumerate(STEPS) if key in times), default=0)
    return max(_FURTHEST.get(status, 0), paid, told)


def _state(place: int, reached: int, cancelled: bool, ended: bool) -> State:
    if place <= reached:
        return "done"
    if place == reached + 1 and not ended:
        return "now"
    return "stopped" if cancelled else "ahead"


def _title(status: str, reached: int) -> str:
    if status == "placed":
        return "Paid, confirming…" if reached >= 2 else "Thank you! We have your order"
    return {"confirmed": "Your order is confirmed", "shipped": "On its way", "delivered": "Delivered"}.get(
        status, status.capitalize()
    )


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
