"""What follows a confirmed order in the history: shipped, delivered, returned, reviewed."""

from collections.abc import Callable
from random import Random

from producers.simulator.fate import Fate, Parcel, Return, Review
from producers.simulator.history.agenda import Agenda
from producers.simulator.history.order import Order
from producers.simulator.history.rows import Rows
from producers.simulator.history.stock import Stock
from producers.simulator.world.world import World

Refund = Callable[[int, Order, int, str, str | None], None]
"""Pays back: moment, order, amount in minor units, reason, return id."""


class Parcels:
    """Plays the fate of each order."""

    def __init__(
        self, world: World, rows: Rows, agenda: Agenda, stock: Stock, random: Random, refund: Refund
    ) -> None:
        self._world, self._rows, self._agenda = world, rows, agenda
        self._stock, self._random, self._refund = stock, random, refund

    def send(self, at: int, order: Order, fate: Fate) -> None:
        """Put down what becomes of an order that was confirmed at this moment."""
        order.to_deliver = len(fate.parcels)
        for number, parcel in enumerate(fate.parcels, 1):
            shipment_id = f"{order.order_id}-{number}"
            self._agenda.after(at, parcel.ships_after_days, self._ship, order, shipment_id, parcel, fate)

    def _ship(self, at: int, order: Order, shipment_id: str, parcel: Parcel, fate: Fate) -> None:
        for line in parcel.lines:
            self._stock.ship(at, line.product, line.quantity, order.order_id, order.cause)
        self._rows.put(
            "order_shipped", at, order.cause, order_id=order.order_id, shipment_id=shipment_id,
            seller_id=self._world.sellers.ids[parcel.seller], carrier=parcel.carrier,
            tracking_code=f"T{self._random.getrandbits(40):010X}",
        )  # fmt: skip
        self._agenda.after(at, parcel.travels_days, self._deliver, order, shipment_id, parcel, fate)

    def _deliver(self, at: int, order: Order, shipment_id: str, parcel: Parcel, fate: Fate) -> None:
        self._rows.put(
            "order_delivered", at, order.cause, order_id=order.order_id, shipment_id=shipment_id,
            seller_id=self._world.sellers.ids[parcel.seller],
        )  # fmt: skip
        if parcel.returned is not None:
            after_days = parcel.returned.after_days
            self._agenda.after(at, after_days, self._return, order, shipment_id, parcel.returned)
        order.to_deliver -= 1
        if not order.to_deliver and fate.review is not None:
            self._agenda.after(at, fate.review.after_days, self._review, order, fate.review)

    def _return(self, at: int, order: Order, shipment_id: str, returned: Return) -> None:
        line, return_id = returned.line, f"{shipment_id}-b"
        refund_minor = line.paid_minor - line.shipping_minor
        self._rows.put(
            "order_returned", at, order.cause, return_id=return_id, order_id=order.order_id,
            shopper_id=order.shopper_id, seller_id=self._world.sellers.ids[line.seller],
            shipment_id=shipment_id, reason=returned.reason, placed_at=order.placed_at,
            currency=self._world.shape.currency,
            lines=[{
                "line_number": line.number, "product_id": self._world.products.ids[line.product],
                "quantity": line.quantity, "refund_minor": refund_minor, "restocked": returned.restocked,
            }],
        )  # fmt: skip
        if returned.restocked:
            self._stock.give_back(at, line.product, line.quantity, order.order_id, order.cause)
        self._agenda.at(at + 60_000, self._refund, order, refund_minor, "order_returned", return_id)

    def _review(self, at: int, order: Order, review: Review) -> None:
        self._rows.put(
            "review_submitted", at, order.cause, review_id=f"{order.order_id}-v", order_id=order.order_id,
            shopper_id=order.shopper_id, product_id=self._world.products.ids[review.product],
            seller_id=self._world.sellers.ids[review.seller], score=review.score, title=None,
            comment=review.comment,
        )  # fmt: skip
