"""Runs the lifecycle of a confirmed order in the history: shipped, delivered, returned, reviewed."""

from collections.abc import Callable
from random import Random

from producers.simulator.history.event_rows import EventRows
from producers.simulator.history.order import HistoryOrder, HistoryReturn
from producers.simulator.history.scheduler import Scheduler
from producers.simulator.history.stock import HistoryStock
from producers.simulator.order_lifecycle import OrderLifecycle, PlannedReturn, PlannedReview, PlannedShipment
from producers.simulator.world.world import World

Refund = Callable[[int, HistoryOrder, int, str, HistoryReturn | None], None]
"""Refunds an order: time, order, amount in minor units, reason, return."""


class HistoryShipments:
    """Schedules the lifecycles of orders."""

    def __init__(
        self,
        world: World,
        rows: EventRows,
        scheduler: Scheduler,
        stock: HistoryStock,
        random: Random,
        refund: Refund,
    ) -> None:
        self._world, self._rows, self._scheduler = world, rows, scheduler
        self._stock, self._random, self._refund = stock, random, refund

    def schedule(self, at: int, order: HistoryOrder, lifecycle: OrderLifecycle) -> None:
        """Schedule the lifecycle of an order that is confirmed at this time."""
        order.undelivered = len(lifecycle.shipments)
        for number, shipment in enumerate(lifecycle.shipments, 1):
            shipment_id = f"{order.order_id}-{number}"
            self._scheduler.schedule_after(
                at, shipment.ships_after_days, self._ship, order, shipment_id, shipment, lifecycle
            )

    def _ship(
        self,
        at: int,
        order: HistoryOrder,
        shipment_id: str,
        shipment: PlannedShipment,
        lifecycle: OrderLifecycle,
    ) -> None:
        for line in shipment.lines:
            self._stock.ship(at, line.product, line.quantity, order.order_id, order.cause)
        self._rows.append(
            "order_shipped", at, order.cause, order_id=order.order_id, shipment_id=shipment_id,
            seller_id=self._world.sellers.ids[shipment.seller], carrier=shipment.carrier,
            tracking_code=f"T{self._random.getrandbits(40):010X}",
        )  # fmt: skip
        self._scheduler.schedule_after(
            at, shipment.transit_days, self._deliver, order, shipment_id, shipment, lifecycle
        )

    def _deliver(
        self,
        at: int,
        order: HistoryOrder,
        shipment_id: str,
        shipment: PlannedShipment,
        lifecycle: OrderLifecycle,
    ) -> None:
        self._rows.append(
            "order_delivered", at, order.cause, order_id=order.order_id, shipment_id=shipment_id,
            seller_id=self._world.sellers.ids[shipment.seller],
        )  # fmt: skip
        if shipment.returned is not None:
            after_days = shipment.returned.after_days
            self._scheduler.schedule_after(
                at, after_days, self._return, order, shipment_id, shipment.returned
            )
        order.undelivered -= 1
        if not order.undelivered and lifecycle.review is not None:
            self._scheduler.schedule_after(
                at, lifecycle.review.after_days, self._review, order, lifecycle.review
            )

    def _return(self, at: int, order: HistoryOrder, shipment_id: str, returned: PlannedReturn) -> None:
        line, return_id = returned.line, f"{shipment_id}-b"
        seller_id, refund_minor = self._world.sellers.ids[line.seller], line.paid_minor - line.shipping_minor
        refunded = {
            "line_number": line.number, "product_id": self._world.products.ids[line.product],
            "quantity": line.quantity, "refund_minor": refund_minor,
        }  # fmt: skip
        self._rows.append(
            "order_returned", at, order.cause, return_id=return_id, order_id=order.order_id,
            shopper_id=order.shopper_id, seller_id=seller_id,
            shipment_id=shipment_id, reason=returned.reason, placed_at=order.placed_at,
            currency=self._world.shape.currency,
            lines=[refunded | {"restocked": returned.restocked}],
        )  # fmt: skip
        if returned.restocked:
            self._stock.return_units(at, line.product, line.quantity, order.order_id, order.cause)
        came_back = HistoryReturn(return_id, seller_id, [refunded])
        self._scheduler.schedule_at(
            at + 60_000, self._refund, order, refund_minor, "order_returned", came_back
        )

    def _review(self, at: int, order: HistoryOrder, review: PlannedReview) -> None:
        self._rows.append(
            "review_submitted", at, order.cause, review_id=f"{order.order_id}-v", order_id=order.order_id,
            line_number=review.line_number, shopper_id=order.shopper_id,
            product_id=self._world.products.ids[review.product],
            seller_id=self._world.sellers.ids[review.seller], score=review.score, title=None,
            comment=review.comment,
        )  # fmt: skip
