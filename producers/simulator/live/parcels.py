"""What follows a live order that was confirmed: shipped, delivered, returned, reviewed, or called off."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from common.clock import Clock, to_millis
from producers.simulator.fate import Fate, Line, Parcel, Return, Review, draw_fate
from producers.simulator.live.outside import Outside
from producers.simulator.status import Status
from producers.simulator.world.world import World

DAY_S = 30.0
"""A day of parcels passes in so many seconds, so that a demo of minutes sees them arrive."""


@dataclass
class Bought:
    """An order that was confirmed."""

    order_id: str
    shopper_id: str
    placed_at_ms: int
    fate: Fate
    undelivered: int


class Parcels:
    """Plays the fate of each order in the running event loop; `cancel(order_id)` is the shopper's wish."""

    def __init__(
        self,
        world: World,
        outside: Outside,
        status: Status,
        random: Random,
        clock: Clock,
        cancel: Callable[[str], None],
    ) -> None:
        self._world, self._outside, self._status = world, outside, status
        self._random, self._clock, self._cancel = random, clock, cancel

    def send(self, order_id: str, shopper_id: str, lines: list[Line]) -> None:
        """An order was confirmed just now."""
        fate = draw_fate(self._world, self._random, lines)
        if fate.cancelled_after_days is not None:
            self._after(fate.cancelled_after_days, self._cancel, order_id)
        bought = Bought(order_id, shopper_id, to_millis(self._clock()), fate, len(fate.parcels))
        for parcel in fate.parcels:
            self._after(parcel.ships_after_days, self._ship, bought, parcel, self._new_id())

    def _ship(self, bought: Bought, parcel: Parcel, shipment_id: str) -> None:
        self._tell("order_shipped", bought, {
            "shipment_id": shipment_id, "seller_id": self._world.sellers.ids[parcel.seller],
            "carrier": parcel.carrier, "tracking_code": f"T{self._random.getrandbits(40):010X}",
        })  # fmt: skip
        self._status.orders["shipped"] += 1
        self._after(parcel.travels_days, self._deliver, bought, parcel, shipment_id)

    def _deliver(self, bought: Bought, parcel: Parcel, shipment_id: str) -> None:
        seller_id = self._world.sellers.ids[parcel.seller]
        self._tell("order_delivered", bought, {"shipment_id": shipment_id, "seller_id": seller_id})
        self._status.orders["delivered"] += 1
        if parcel.returned is not None:
            self._after(parcel.returned.after_days, self._return, bought, parcel.returned, shipment_id)
        bought.undelivered -= 1
        if not bought.undelivered and bought.fate.review is not None:
            self._after(bought.fate.review.after_days, self._review, bought, bought.fate.review)

    def _return(self, bought: Bought, returned: Return, shipment_id: str) -> None:
        line = returned.line
        self._tell("order_returned", bought, {
            "return_id": self._new_id(), "shopper_id": bought.shopper_id,
            "seller_id": self._world.sellers.ids[line.seller], "shipment_id": shipment_id,
            "reason": returned.reason, "placed_at": bought.placed_at_ms,
            "currency": self._world.shape.currency,
            "lines": [{
                "line_number": line.number, "product_id": self._world.products.ids[line.product],
                "quantity": line.quantity, "refund_minor": line.paid_minor - line.shipping_minor,
                "restocked": returned.restocked,
            }],
        })  # fmt: skip
        self._status.orders["returned"] += 1

    def _review(self, bought: Bought, review: Review) -> None:
        self._tell("review_submitted", bought, {
            "review_id": self._new_id(), "shopper_id": bought.shopper_id,
            "product_id": self._world.products.ids[review.product],
            "seller_id": self._world.sellers.ids[review.seller], "score": review.score, "title": None,
            "comment": review.comment,
        })  # fmt: skip
        self._status.orders["reviewed"] += 1

    def _tell(self, name: str, bought: Bought, fields: dict[str, Any]) -> None:
        self._outside.send(name, bought.order_id, order_id=bought.order_id, **fields)

    def _after(self, days: float, step: Callable[..., None], *arguments: Any) -> None:
        asyncio.get_running_loop().call_later(days * DAY_S, step, *arguments)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
