"""How far an order has come, as steps that a shopper can follow. Pure."""

from collections.abc import Mapping
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
    """What `GET /v1/orders/{id}` says, for people."""
    status, payment = order["status"], order["payment"]["status"]
    times = {step["status"]: datetime.fromisoformat(step["at"]) for step in order["history"]}
    cancelled = status == "cancelled"
    reached = _reached(status, payment, times)
    title, said = (
        WHY_CANCELLED.get(order.get("cancellation_reason") or "", _CANCELLED)
        if cancelled
        else (_title(status, reached), WAITS.get(status, ""))
    )
    ended = cancelled or status == "delivered"
    refund_due = cancelled and payment == "captured"
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
        can_be_cancelled=status in ("placed", "confirmed"),
        every_s=1 if status == "placed" or refund_due else 4,
    )


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
