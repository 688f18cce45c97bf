"""Runs the lifecycle of each confirmed live order: shipped, delivered, returned, reviewed or cancelled."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from common.clock import to_millis
from producers.simulator.live.external_events import ExternalEventProducer
from producers.simulator.order_lifecycle import (
    OrderLifecycle,
    PlannedReturn,
    PlannedReview,
    PlannedShipment,
    SimulatedLine,
    draw_fulfilment,
    draw_lifecycle,
)
from producers.simulator.status import SimulatorStatus
from producers.simulator.world.world import World

DAY_S = 30.0
"""Seconds of live traffic for a day of shipping, so that deliveries happen within a demo of minutes."""


@dataclass
class ConfirmedOrder:
    """A confirmed order. `unshipped` counts its shipments that were not handed to the carrier yet."""

    order_id: str
    shopper_id: str
    placed_at_ms: int
    lifecycle: OrderLifecycle
    unshipped: int = field(init=False)
    undelivered: int = field(init=False)

    def __post_init__(self) -> None:
        self.unshipped = self.undelivered = len(self.lifecycle.shipments)


class LiveShipments:
    """Schedules actions of sellers, carriers and shoppers for confirmed orders, on the running event loop.

    A simulated shopper may cancel (`cancel(order_id)`), return and review an order (`review(body)`, with the
    body of a request). Other orders, such as those of a person who uses the shop's pages, are only shipped
    and delivered.
    """

    def __init__(
        self,
        world: World,
        events: ExternalEventProducer,
        status: SimulatorStatus,
        random: Random,
        cancel: Callable[[str], None],
        review: Callable[[dict[str, Any]], None],
    ) -> None:
        self._world, self._events, self._status = world, events, status
        self._random, self._cancel, self._submit_review = random, cancel, review
        self._product_index = {product: row for row, product in enumerate(world.products.ids)}
        self._seller_index = {seller: row for row, seller in enumerate(world.sellers.ids)}
        self._shopper_ids = frozenset(world.shoppers.ids)
        self._unshipped: dict[str, ConfirmedOrder] = {}

    def schedule(self, order: Mapping[str, Any]) -> None:
        """Schedule the lifecycle of an order if its status is `confirmed`; `order` is the API's JSON.

        Lines of sellers or products that do not exist in this world are ignored.
        """
        lines = self._simulated_lines(order)
        if order["status"] != "confirmed" or not lines or order["order_id"] in self._unshipped:
            return
        draw = draw_lifecycle if order["shopper_id"] in self._shopper_ids else draw_fulfilment
        lifecycle = draw(self._world, self._random, lines)
        placed_at_ms = to_millis(datetime.fromisoformat(order["placed_at"]))
        confirmed = ConfirmedOrder(order["order_id"], order["shopper_id"], placed_at_ms, lifecycle)
        if lifecycle.cancelled_after_days is not None:
            self._after(lifecycle.cancelled_after_days, self._cancel, confirmed.order_id)
            return
        self._unshipped[confirmed.order_id] = confirmed
        for shipment in lifecycle.shipments:
            self._after(shipment.ships_after_days, self._ship, confirmed, shipment, self._new_id())

    def drop(self, order_id: str) -> None:
        """Record the cancellation of an order, whose remaining shipments are then not shipped."""
        self._unshipped.pop(order_id, None)

    def _simulated_lines(self, order: Mapping[str, Any]) -> list[SimulatedLine]:
        return [
            SimulatedLine(
                line["line_number"], self._product_index[line["product_id"]],
                self._seller_index[line["seller_id"]], line["quantity"], line["unit_price_minor"],
                line["discount_minor"], line["shipping_minor"], line["marketplace_minor"] or 0,
            )
            for line in order["lines"]
            if line["product_id"] in self._product_index and line["seller_id"] in self._seller_index
        ]  # fmt: skip

    def _ship(self, order: ConfirmedOrder, shipment: PlannedShipment, shipment_id: str) -> None:
        if order.order_id not in self._unshipped:
            return
        order.unshipped -= 1
        if not order.unshipped:
            del self._unshipped[order.order_id]
        self._publish("order_shipped", order, {
            "shipment_id": shipment_id, "seller_id": self._world.sellers.ids[shipment.seller],
            "carrier": shipment.carrier, "tracking_code": f"T{self._random.getrandbits(40):010X}",
        })  # fmt: skip
        self._status.orders["shipped"] += 1
        self._after(shipment.transit_days, self._deliver, order, shipment, shipment_id)

    def _deliver(self, order: ConfirmedOrder, shipment: PlannedShipment, shipment_id: str) -> None:
        seller_id = self._world.sellers.ids[shipment.seller]
        self._publish("order_delivered", order, {"shipment_id": shipment_id, "seller_id": seller_id})
        self._status.orders["delivered"] += 1
        if shipment.returned is not None:
            self._after(shipment.returned.after_days, self._return, order, shipment.returned, shipment_id)
        order.undelivered -= 1
        if not order.undelivered and order.lifecycle.review is not None:
            self._after(order.lifecycle.review.after_days, self._review, order, order.lifecycle.review)

    def _return(self, order: ConfirmedOrder, returned: PlannedReturn, shipment_id: str) -> None:
        line = returned.line
        self._publish("order_returned", order, {
            "return_id": self._new_id(), "shopper_id": order.shopper_id,
            "seller_id": self._world.sellers.ids[line.seller], "shipment_id": shipment_id,
            "reason": returned.reason, "placed_at": order.placed_at_ms,
            "currency": self._world.shape.currency,
            "lines": [{
                "line_number": line.number, "product_id": self._world.products.ids[line.product],
                "quantity": line.quantity, "refund_minor": line.paid_minor - line.shipping_minor,
                "restocked": returned.restocked,
            }],
        })  # fmt: skip
        self._status.orders["returned"] += 1

    def _review(self, order: ConfirmedOrder, review: PlannedReview) -> None:
        self._submit_review({
            "order_id": order.order_id, "line_number": review.line_number, "shopper_id": order.shopper_id,
            "score": review.score, "comment": review.comment or "",
        })  # fmt: skip

    def _publish(self, name: str, order: ConfirmedOrder, fields: dict[str, Any]) -> None:
        self._events.send(name, order.order_id, order_id=order.order_id, **fields)

    def _after(self, days: float, step: Callable[..., None], *arguments: Any) -> None:
        asyncio.get_running_loop().call_later(days * DAY_S, step, *arguments)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
