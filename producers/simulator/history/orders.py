"""The orders of the history: placed, reserved, paid, and confirmed or cancelled."""

from random import Random
from typing import Any

from common.ids import derived_event_id
from producers.simulator.calendar import DAY_MS
from producers.simulator.history.event_rows import DATA_SET, EventRows
from producers.simulator.history.order import HistoryOrder, HistoryReturn
from producers.simulator.history.scheduler import Scheduler
from producers.simulator.history.shipments import HistoryShipments
from producers.simulator.history.stock import HistoryStock
from producers.simulator.order_lifecycle import SimulatedLine, draw_lifecycle
from producers.simulator.payments import DECLINE_REASONS, DECLINED_SHARE, draw_payment_method
from producers.simulator.world.world import World

RESERVED_FOR_MS = 30 * 60_000
PROMISED_DAYS = 9


class HistoryOrders:
    """Runs every order up to its confirmation. HistoryShipments runs the rest."""

    def __init__(
        self, world: World, rows: EventRows, scheduler: Scheduler, stock: HistoryStock, random: Random
    ) -> None:
        self._world, self._rows, self._scheduler = world, rows, scheduler
        self._stock, self._random = stock, random
        self._shipments = HistoryShipments(world, rows, scheduler, stock, random, self._refund)

    def place(self, at: int, shopper: int, session_id: str, units: list[tuple[int, int, int]]) -> None:
        """Place an order of units: (product, quantity, unit price in minor units)."""
        shopper_id = self._world.shoppers.ids[shopper]
        order_id = f"h{self._random.getrandbits(80):020x}"
        cause = derived_event_id(at, DATA_SET, "order_placed", order_id)
        lines = self._draw_lines(units)
        order = HistoryOrder(order_id, shopper_id, at, cause, lines, *draw_payment_method(self._random))
        self._rows.append(
            "order_placed", at, None, order_id=order_id, shopper_id=shopper_id,
            currency=self._world.shape.currency, lines=self._placed_lines(lines),
            estimated_delivery_at=at + PROMISED_DAYS * DAY_MS, session_id=session_id,
        )  # fmt: skip
        self._scheduler.schedule_at(at + self._random.randint(50, 400), self._reserve, order)

    def _draw_lines(self, units: list[tuple[int, int, int]]) -> list[SimulatedLine]:
        products = self._world.products
        off = 0.1 if self._random.random() < 0.05 else 0.0  # a voucher
        lines: list[SimulatedLine] = []
        for number, (product, quantity, price) in enumerate(units, 1):
            seller = int(products.seller[product])
            together = any(line.seller == seller for line in lines)
            shipping = 0 if together else 790 + 100 * (int(products.weight_g[product]) // 500)
            discount = int(off * quantity * price)
            lines.append(SimulatedLine(number, product, seller, quantity, price, discount, shipping))
        return lines

    def _reserved_lines(self, lines: list[SimulatedLine]) -> list[dict[str, Any]]:
        products, sellers = self._world.products.ids, self._world.sellers.ids
        return [
            {
                "line_number": line.number, "product_id": products[line.product],
                "seller_id": sellers[line.seller], "quantity": line.quantity,
            }
            for line in lines
        ]  # fmt: skip

    def _placed_lines(self, lines: list[SimulatedLine]) -> list[dict[str, Any]]:
        commission = self._world.sellers.commission_bp
        return [
            held
            | {
                "unit_price_minor": line.unit_price_minor, "discount_minor": line.discount_minor,
                "shipping_minor": line.shipping_minor, "tax_minor": 0,
                "commission_bp": int(commission[line.seller]),
            }
            for held, line in zip(self._reserved_lines(lines), lines, strict=True)
        ]  # fmt: skip

    def _reserve(self, at: int, order: HistoryOrder) -> None:
        """Reserve all lines or none."""
        lines = self._reserved_lines(order.lines)
        available = [self._stock.available(line.product) for line in order.lines]
        short = [
            line | {"available": left}
            for line, left in zip(lines, available, strict=True)
            if left < line["quantity"]
        ]
        if short:
            self._rows.append("stock_refused", at, order.cause, order_id=order.order_id, lines=short)
            self._scheduler.schedule_at(at + 200, self._cancel, order, "out_of_stock")
            return
        for line in order.lines:
            self._stock.reserve(at, line.product, line.quantity, order.order_id, order.cause)
        self._rows.append(
            "stock_reserved", at, order.cause, reservation_id=f"{order.order_id}-r",
            order_id=order.order_id, expires_at=at + RESERVED_FOR_MS, lines=lines,
        )  # fmt: skip
        self._scheduler.schedule_at(at + self._random.randint(1_000, 40_000), self._pay, order)

    def _pay(self, at: int, order: HistoryOrder) -> None:
        fields = {
            "payment_id": f"{order.order_id}-p", "order_id": order.order_id, "shopper_id": order.shopper_id,
            "method": order.method, "currency": self._world.shape.currency, "amount_minor": order.due_minor,
        }  # fmt: skip
        if self._random.random() < DECLINED_SHARE:
            declined = {"attempt": 1, "final": True, "reason": self._random.choice(DECLINE_REASONS)}
            self._rows.append("payment_failed", at, order.cause, **fields, **declined)
            self._scheduler.schedule_at(at + 200, self._cancel, order, "payment_failed")
            return
        order.captured = True
        self._rows.append("payment_captured", at, order.cause, **fields, installments=order.installments)
        self._scheduler.schedule_at(at + 300, self._confirm, order)

    def _confirm(self, at: int, order: HistoryOrder) -> None:
        order.confirmed_at = at
        self._rows.append(
            "order_confirmed", at, order.cause, order_id=order.order_id, shopper_id=order.shopper_id,
            placed_at=order.placed_at, currency=self._world.shape.currency,
            lines=self._placed_lines(order.lines),
        )  # fmt: skip
        lifecycle = draw_lifecycle(self._world, self._random, order.lines)
        if lifecycle.cancelled_after_days is not None:
            self._scheduler.schedule_after(
                at, lifecycle.cancelled_after_days, self._cancel, order, "shopper_request"
            )
        self._shipments.schedule(at, order, lifecycle)

    def _cancel(self, at: int, order: HistoryOrder, reason: str) -> None:
        self._rows.append(
            "order_cancelled", at, order.cause, order_id=order.order_id, shopper_id=order.shopper_id,
            reason=reason, placed_at=order.placed_at, currency=self._world.shape.currency,
            lines=self._placed_lines(order.lines), confirmed_at=order.confirmed_at,
        )  # fmt: skip
        if reason != "out_of_stock":
            self._scheduler.schedule_at(at + 100, self._release, order, reason)
        if order.captured:
            self._scheduler.schedule_at(
                at + 5000, self._refund, order, order.due_minor, "order_cancelled", None
            )

    def _release(self, at: int, order: HistoryOrder, reason: str) -> None:
        for line in order.lines:
            self._stock.release(at, line.product, line.quantity, order.order_id, order.cause)
        self._rows.append(
            "stock_released", at, order.cause, reservation_id=f"{order.order_id}-r",
            order_id=order.order_id,
            reason="payment_failed" if reason == "payment_failed" else "order_cancelled",
            lines=self._reserved_lines(order.lines),
        )  # fmt: skip

    def _refund(
        self, at: int, order: HistoryOrder, amount_minor: int, reason: str, returned: HistoryReturn | None
    ) -> None:
        if amount_minor <= 0:
            return
        return_id = returned.return_id if returned else None
        self._rows.append(
            "payment_refunded", at, order.cause,
            refund_id=f"{return_id or order.order_id}-f", payment_id=f"{order.order_id}-p",
            order_id=order.order_id, shopper_id=order.shopper_id, currency=self._world.shape.currency,
            amount_minor=amount_minor, reason=reason, return_id=return_id,
            seller_id=returned.seller_id if returned else None,
            placed_at=order.placed_at if returned else None, lines=returned.lines if returned else [],
        )  # fmt: skip
