"""A made-up stream of orders shaped like a real one: skewed sellers, few lines, five events an order."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from common.ids import derived_event_id

BEGIN_MS = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp() * 1000)
EVENTS = ("order_placed", "payment_captured", "order_confirmed", "order_shipped", "order_delivered")
"""One of each per order, in this order."""

SELLERS, PRODUCTS, SHOPPERS = 3_000, 33_000, 96_000
_PER_ORDER_MS = 6_000
_STEPS_MS = {"payment_captured": 900_000, "order_confirmed": 960_000, "order_shipped": 2 * 86_400_000,
             "order_delivered": 9 * 86_400_000}  # fmt: skip

Sent = tuple[str, str, dict[str, Any]]
"""(event, key, record)"""


def orders(first: int, count: int, seed: int = 1) -> Iterator[Sent]:
    """The events of orders `first` … `first + count - 1`: 14,400 orders a day of event time from 2018 on.

    Sellers and products are drawn from a squared uniform, so that the top tenth of sellers has a third of the
    lines; one order in eight has two lines or three. The same arguments give the same events.
    """
    for number in range(first, first + count):
        drawn = random.Random(seed << 40 | number)
        name_of, shopper_id = order_id(number), f"shopper-{drawn.randrange(SHOPPERS)}"
        at_ms = placed_ms(number)
        lines = [_line(drawn, at + 1) for at in range(1 + (drawn.random() < 0.12) + (drawn.random() < 0.02))]
        yield _event("order_placed", at_ms, name_of, shopper_id=shopper_id, currency="BRL", lines=lines,
                     estimated_delivery_at=None)  # fmt: skip
        amount = sum(line["quantity"] * line["unit_price_minor"] + line["shipping_minor"] for line in lines)
        moments = {name: at_ms + delay for name, delay in _STEPS_MS.items()}
        yield _event("payment_captured", moments["payment_captured"], name_of, payment_id=f"{name_of}-1",
                     shopper_id=shopper_id, method="credit_card", installments=1, currency="BRL",
                     amount_minor=amount)  # fmt: skip
        yield _event("order_confirmed", moments["order_confirmed"], name_of, shopper_id=shopper_id)
        shipment = {"shipment_id": f"{name_of}-1", "seller_id": lines[0]["seller_id"]}
        yield _event("order_shipped", moments["order_shipped"], name_of, **shipment, carrier=None,
                     tracking_code=None)  # fmt: skip
        yield _event("order_delivered", moments["order_delivered"], name_of, **shipment)


def order_id(number: int) -> str:
    """The id of the order with this number; ids sort as numbers do."""
    return f"{number:032x}"


def placed_ms(number: int) -> int:
    """When the order with this number is placed: ten a minute, the first of each at its full minute."""
    return BEGIN_MS + number * _PER_ORDER_MS


def line_count(first: int, count: int, seed: int = 1) -> int:
    """How many order lines `orders` with these arguments has."""
    return sum(
        len(record["lines"]) for name, _, record in orders(first, count, seed) if name == "order_placed"
    )


def _line(drawn: random.Random, number: int) -> dict[str, Any]:
    return {
        "line_number": number,
        "product_id": f"product-{int(drawn.random() ** 2 * PRODUCTS)}",
        "seller_id": f"seller-{int(drawn.random() ** 2 * SELLERS)}",
        "quantity": 1 + (drawn.random() < 0.08),
        "unit_price_minor": drawn.randrange(500, 30_000),
        "discount_minor": 0,
        "shipping_minor": drawn.randrange(0, 4_000),
        "tax_minor": 0,
        "commission_bp": 1_000,
    }


def _event(name: str, occurred_ms: int, order: str, **fields: Any) -> Sent:
    event_id = derived_event_id(occurred_ms, "bench", name, order)
    return name, order, {"event_id": event_id, "occurred_at": occurred_ms, "order_id": order, **fields}
