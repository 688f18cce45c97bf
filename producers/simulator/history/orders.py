"""Orders of the history: placed, held, paid, confirmed, or cancelled."""

from random import Random
from typing import Any

from common.ids import derived_event_id
from producers.simulator.calendar import DAY_MS
from producers.simulator.fate import Line, draw_fate
from producers.simulator.history.agenda import Agenda
from producers.simulator.history.order import Order
from producers.simulator.history.parcels import Parcels
from producers.simulator.history.rows import DATA_SET, Rows
from producers.simulator.history.stock import Stock
from producers.simulator.payments import DECLINED_SHARE, REASONS, draw_payment
from producers.simulator.world.world import World

RESERVED_FOR_MS = 30 * 60_000
PROMISED_DAYS = 9


class Orders:
    """Every order up to its confirmation; `parcels` does the rest."""

    def __init__(self, world: World, rows: Rows, agenda: Agenda, stock: Stock, random: Random) -> None:
        self._world, self._rows, self._agenda = world, rows, agenda
        self._stock, self._random = stock, random
        self._parcels = Parcels(world, rows, agenda, stock, random, self._refund)

    def place(self, at: int, shopper: int, units: list[tuple[int, int, int]]) -> None:
        """A shopper orders units: (product, quantity, price of one in minor units)."""
        shopper_id = self._world.shoppers.ids[shopper]
        order_id = f"h{self._random.getrandbits(80):020x}"
        cause = derived_event_id(at, DATA_SET, "order_placed", order_id)
        lines = self._lines(units)
        order = Order(order_id, shopper_id, at, cause, lines, *draw_payment(self._random))
        self._rows.put(
            "order_placed", at, None, order_id=order_id, shopper_id=shopper_id,
            currency=self._world.shape.currency, lines=self._placed(lines),
            estimated_delivery_at=at + PROMISED_DAYS * DAY_MS,
        )  # fmt: skip
        self._agenda.at(at + self._random.randint(50, 400), self._reserve, order)

    def _lines(self, units: list[tuple[int, int, int]]) -> list[Line]:
        products = self._world.products
        off = 0.1 if self._random.random() < 0.05 else 0.0  # a voucher
        lines: list[Line] = []
        for number, (product, quantity, price) in enumerate(units, 1):
            seller = int(products.seller[product])
            together = any(line.seller == seller for line in lines)
            shipping = 0 if together else 790 + 100 * (int(products.weight_g[product]) // 500)
            discount = int(off * quantity * price)
            lines.append(Line(number, product, seller, quantity, price, discount, shipping))
        return lines

    def _held(self, lines: list[Line]) -> list[dict[str, Any]]:
        products, sellers = self._world.products.ids, self._world.sellers.ids
        return [
            {
                "line_number": line.number, "product_id": products[line.product],
                "seller_id": sellers[line.seller], "quantity": line.quantity,
            }
            for line in lines
        ]  # fmt: skip

    def _placed(self, lines: list[Line]) -> list[dict[str, Any]]:
        commission = self._world.sellers.commission_bp
        return [
            held
            | {
                "unit_price_minor": line.unit_price_minor, "discount_minor": line.discount_minor,
                "shipping_minor": line.shipping_minor, "tax_minor": 0,
                "commission_bp": int(commission[line.seller]),
            }
            for held, line in zip(self._held(lines), lines, strict=True)
        ]  # fmt: skip

    def _reserve(self, at: int, order: Order) -> None:
        """All lines or none."""
        held = self._held(order.lines)
        available = [self._stock.available(line.product) for line in order.lines]
        short = [
            line | {"available": left}
            for line, left in zip(held, available, strict=True)
            if left < line["quantity"]
        ]
        if short:
            self._rows.put("stock_refused", at, order.cause, order_id=order.order_id, lines=short)
            self._agenda.at(at + 200, self._cancel, order, "out_of_stock")
            return
        for line in order.lines:
            self._stock.reserve(at, line.product, line.quantity, order.order_id, order.cause)
        self._rows.put(
            "stock_reserved", at, order.cause, reservation_id=f"{order.order_id}-r",
            order_id=order.order_id, expires_at=at + RESERVED_FOR_MS, lines=held,
        )  # fmt: skip
        self._agenda.at(at + self._random.randint(1_000, 40_000), self._pay, order)

    def _pay(self, at: int, order: Order) -> None:
        fields = {
            "payment_id": f"{order.order_id}-p", "order_id": order.order_id, "shopper_id": order.shopper_id,
            "method": order.method, "currency": self._world.shape.currency, "amount_minor": order.due_minor,
        }  # fmt: skip
        if self._random.random() < DECLINED_SHARE:
            declined = {"attempt": 1, "final": True, "reason": self._random.choice(REASONS)}
            self._rows.put("payment_failed", at, order.cause, **fields, **declined)
            self._agenda.at(at + 200, self._cancel, order, "payment_failed")
            return
        order.captured = True
        self._rows.put("payment_captured", at, order.cause, **fields, installments=order.installments)
        self._agenda.at(at + 300, self._confirm, order)

    def _confirm(self, at: int, order: Order) -> None:
        self._rows.put(
            "order_confirmed", at, order.cause, order_id=order.order_id, shopper_id=order.shopper_id
        )
        fate = draw_fate(self._world, self._random, order.lines)
        if fate.cancelled_after_days is not None:
            self._agenda.after(at, fate.cancelled_after_days, self._cancel, order, "shopper_request")
        self._parcels.send(at, order, fate)

    def _cancel(self, at: int, order: Order, reason: str) -> None:
        self._rows.put(
            "order_cancelled", at, order.cause, order_id=order.order_id, shopper_id=order.shopper_id,
            reason=reason, placed_at=order.placed_at, currency=self._world.shape.currency,
            lines=self._placed(order.lines),
        )  # fmt: skip
        if reason != "out_of_stock":
            self._agenda.at(at + 100, self._release, order, reason)
        if order.captured:
            self._agenda.at(at + 5000, self._refund, order, order.due_minor, "order_cancelled", None)

    def _release(self, at: int, order: Order, reason: str) -> None:
        for line in order.lines:
            self._stock.release(at, line.product, line.quantity, order.order_id, order.cause)
        self._rows.put(
            "stock_released", at, order.cause, reservation_id=f"{order.order_id}-r",
            order_id=order.order_id,
            reason="payment_failed" if reason == "payment_failed" else "order_cancelled",
            lines=self._held(order.lines),
        )  # fmt: skip

    def _refund(self, at: int, order: Order, amount_minor: int, reason: str, return_id: str | None) -> None:
        if amount_minor <= 0:
            return
        self._rows.put(
            "payment_refunded", at, order.cause,
            refund_id=f"{return_id or order.order_id}-f", payment_id=f"{order.order_id}-p",
            order_id=order.order_id, shopper_id=order.shopper_id, currency=self._world.shape.currency,
            amount_minor=amount_minor, reason=reason, return_id=return_id,
        )  # fmt: skip
