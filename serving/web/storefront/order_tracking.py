"""Turns the status of an order into steps that a shopper can follow. Pure."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from serving.web.translation import N_, gettext, ngettext, translated

State = Literal["done", "now", "ahead", "stopped"]

STEPS = ("placed", "reserved", "paid", "confirmed", "shipped", "delivered")
_NAMES = {
    "placed": N_("Placed"),
    "reserved": N_("Stock reserved"),
    "paid": N_("Paid"),
    "confirmed": N_("Confirmed"),
    "shipped": N_("Shipped"),
    "delivered": N_("Delivered"),
}
_LAST_STEP = {"placed": 0, "confirmed": 3, "shipped": 4, "delivered": 5}
"""Status → the index of the last step in `STEPS` that is done."""

_PARCEL_STATUSES = ("shipped", "delivered")

STATUS_TEXT: dict[str, str] = {
    "placed": N_(
        "We are setting your items aside and charging your card. Your order will be confirmed soon."
    ),
    "confirmed": N_("It is yours. The sellers are packing; each sends its own parcel."),
    "shipped": N_("On its way to you."),
    "delivered": N_("It has arrived. Enjoy!"),
}

CANCELLATION_TEXT: dict[str, tuple[str, str]] = {
    "out_of_stock": (
        N_("Sold out"),
        N_(
            "Somebody was faster: one of these items was gone before we could set it aside. "
            "Your card was not charged."
        ),
    ),
    "payment_failed": (
        N_("Your card was declined"),
        N_(
            "Your bank said no, so nothing was charged and the items went back on the shelf. "
            "Try again with another card."
        ),
    ),
    "shopper_request": (
        N_("Cancelled"),
        N_("You cancelled this order. What you paid comes back to your card."),
    ),
    "timed_out": (
        N_("It took too long"),
        N_(
            "The payment did not come through in time, so the items went back on the shelf. "
            "If you were charged, the money comes back."
        ),
    ),
}
RETRIED = ("out_of_stock", "payment_failed", "timed_out")
"""The reasons of cancellations that the shopper did not ask for."""

_CANCELLED = (
    N_("Cancelled"),
    N_("This order was cancelled. What you paid, if anything, comes back to your card."),
)


_TITLES = {
    "confirmed": N_("Your order is confirmed"),
    "shipped": N_("On its way"),
    "delivered": N_("Delivered"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an order; `at` is None if its time is unknown."""

    key: str
    name: str
    state: State
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ParcelProgress:
    """The number of parcels of an order, one per seller, and how many have left and have arrived."""

    number: int
    left: int
    arrived: int

    @property
    def slowest(self) -> str:
        """The status that all parcels have reached. At least one parcel has left."""
        if self.arrived == self.number:
            return "delivered"
        return "shipped" if self.left == self.number else "confirmed"

    @property
    def summary(self) -> tuple[str, str] | None:
        """A title and a text about parcels of different status; None while all have the same."""
        done = self.arrived or self.left
        if done == self.number:
            return None
        moving, packing = self.left - done, self.number - self.left
        others = (
            ngettext("%(num)s is on the way to you", "%(num)s are on the way to you", moving)
            if moving
            else "",
            ngettext("%(num)s is still being packed", "%(num)s are still being packed", packing)
            if packing
            else "",
        )
        return self._title(done), f"{', '.join(filter(None, others))}."

    def _title(self, done: int) -> str:
        if self.arrived:
            return ngettext(
                "%(num)s of %(number)s parcels has arrived",
                "%(num)s of %(number)s parcels have arrived",
                done,
                number=self.number,
            )
        return ngettext(
            "%(num)s of %(number)s parcels has left",
            "%(num)s of %(number)s parcels have left",
            done,
            number=self.number,
        )


@dataclass(frozen=True, slots=True)
class SentParcel:
    """A parcel that a seller gave to a carrier; what the seller did not tell is None."""

    at: datetime
    carrier: str | None
    tracking_code: str | None


@dataclass(frozen=True, slots=True)
class SellersPart:
    """One seller's part of an order: its status, the status in words, and its parcels."""

    status: str
    text: str
    sent: list[SentParcel]


@dataclass(frozen=True, slots=True)
class Tracking:
    """The steps of an order, and its state in words."""

    steps: list[Step]
    title: str
    summary: str
    cancelled: bool
    refunded: bool
    ended: bool
    can_be_cancelled: bool
    why_not_cancelled: str
    """Why an order that has not arrived can't be cancelled; empty if it can, and once it has ended."""
    can_be_retried: bool
    """Whether the order failed without the shopper's doing: its products belong back into the cart."""
    poll_interval_s: int
    """How often the page fetches the state."""


def track(order: Mapping[str, Any]) -> Tracking:
    """Return the steps of an order, as `GET /v1/orders/{order_id}` returns it.

    The status of an order is that of its furthest parcel. Its step is done once all parcels have reached it.
    """
    payment, due_minor = order["payment"]["status"], order["payment"]["amount_minor"]
    parcels = _parcels(order) if order["status"] in _PARCEL_STATUSES else None
    status = parcels.slowest if parcels else order["status"]
    times = {
        step["status"]: datetime.fromisoformat(step["at"])
        for step in order["history"]
        if step["status"] not in _PARCEL_STATUSES or _LAST_STEP[step["status"]] <= _LAST_STEP.get(status, 0)
    }
    cancelled = status == "cancelled"
    reached = _reached(status, payment, times)
    if cancelled:
        texts = CANCELLATION_TEXT.get(order.get("cancellation_reason") or "", _CANCELLED)
        title, summary = translated(texts[0]), translated(texts[1])
    else:
        title, summary = (parcels and parcels.summary) or (
            _title(status, reached),
            translated(STATUS_TEXT.get(status, "")),
        )
    ended = cancelled or status == "delivered"
    refund_due = cancelled and payment == "captured" and due_minor > 0
    return Tracking(
        steps=[
            Step(key, translated(_NAMES[key]), _state(place, reached, cancelled, ended), times.get(key))
            for place, key in enumerate(STEPS)
        ],
        title=title,
        summary=summary,
        cancelled=cancelled,
        refunded=payment == "refunded",
        ended=ended and not refund_due,
        can_be_cancelled=order["status"] in ("placed", "confirmed"),
        why_not_cancelled=_why_not_cancelled(order["status"], ended),
        can_be_retried=cancelled and order.get("cancellation_reason") in RETRIED,
        poll_interval_s=1 if status == "placed" or refund_due else 4,
    )


def sellers_parts(order: Mapping[str, Any]) -> dict[str, SellersPart]:
    """Return the part of each seller of a confirmed order. A seller of whom nothing is known is left out."""
    if order["status"] not in ("confirmed", *_PARCEL_STATUSES):
        return {}
    sellers = {line["seller_id"] for line in order["lines"]}
    only = next(iter(sellers)) if len(sellers) == 1 else None
    steps: dict[str | None, list[Mapping[str, Any]]] = {}
    for step in order["history"]:
        if step["status"] in _PARCEL_STATUSES:
            steps.setdefault(step["seller_id"] or only, []).append(step)
    is_of_nobody = None in steps
    return {
        seller_id: _part(steps.get(seller_id, []))
        for seller_id in sellers
        if seller_id in steps or not is_of_nobody
    }


def _part(steps: Sequence[Mapping[str, Any]]) -> SellersPart:
    """Return a seller's part from the steps of its parcels."""
    sent = [
        SentParcel(datetime.fromisoformat(step["at"]), step.get("carrier"), step.get("tracking_code"))
        for step in steps
        if step["status"] == "shipped"
    ]
    arrived = sum(step["status"] == "delivered" for step in steps)
    if arrived and arrived >= len(sent):
        return SellersPart("delivered", gettext("Arrived"), sent)
    if steps:
        return SellersPart("shipped", gettext("On its way"), sent)
    return SellersPart("confirmed", gettext("Being packed"), sent)


def _why_not_cancelled(status: str, ended: bool) -> str:
    if ended or status not in _PARCEL_STATUSES:
        return ""
    return gettext(
        "A parcel has left, so this order can't be cancelled any more, nor the rest of it. Send back what "
        "you don't want once it has arrived."
    )


def _parcels(order: Mapping[str, Any]) -> ParcelProgress:
    """Return the parcels of an order of which at least one has left. A parcel that has arrived has left."""
    sellers = {line["seller_id"] for line in order["lines"]}
    arrived = max(_count_parcels(order, sellers, "delivered"), order["status"] == "delivered")
    return ParcelProgress(
        len(sellers), max(_count_parcels(order, sellers, "shipped", "delivered"), arrived, 1), arrived
    )


def _count_parcels(order: Mapping[str, Any], sellers: Set[str], *statuses: str) -> int:
    """Return how many sellers have one of these steps. A step without a seller counts as a further seller."""
    steps = [(step["status"], step["seller_id"]) for step in order["history"] if step["status"] in statuses]
    without_seller = max(steps.count((status, None)) for status in statuses)
    return min(len(sellers), len(sellers & {seller_id for _, seller_id in steps}) + without_seller)


def _reached(status: str, payment: str, times: Mapping[str, datetime]) -> int:
    """Return the index of the last step that is done. A captured payment implies that stock is reserved."""
    paid = 2 if payment in ("captured", "refunded") else 0
    recorded = max((place for place, key in enumerate(STEPS) if key in times), default=0)
    return max(_LAST_STEP.get(status, 0), paid, recorded)


def _state(place: int, reached: int, cancelled: bool, ended: bool) -> State:
    if place <= reached:
        return "done"
    if place == reached + 1 and not ended:
        return "now"
    return "stopped" if cancelled else "ahead"


def _title(status: str, reached: int) -> str:
    if status == "placed":
        return gettext("Paid, confirming…") if reached >= 2 else gettext("Thank you! We have your order")
    return translated(_TITLES.get(status, status.capitalize()))
