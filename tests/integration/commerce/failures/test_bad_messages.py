"""The services process the messages after an invalid one, which becomes a dead letter."""

import orjson
import pytest

from common.ids import new_id
from schemas.services import SERVICES


@pytest.fixture
def letters(shop, eventually):
    """A function that waits for dead letters of an event of an order, and returns their headers."""
    assert shop.settled(shop.buy(shop.product()))["status"] == "confirmed"  # the services run

    def find(event, order_id):
        return eventually(
            lambda: [
                dict(message.headers()) for message in shop.messages(f"{event}_dlq")
                if message.key() == order_id.encode()
            ] or None
        )  # fmt: skip

    return find


def returned(order_id, return_id, refund_minor):
    """Return the fields of `order_returned`."""
    line = {
        "line_number": 1, "product_id": "p", "quantity": 1, "refund_minor": refund_minor, "restocked": False
    }  # fmt: skip
    return {
        "return_id": return_id, "order_id": order_id, "shopper_id": "ana", "seller_id": "seller-1",
        "reason": "damaged", "placed_at": 0, "currency": "BRL", "lines": [line],
    }  # fmt: skip


def test_a_broken_message_with_a_nul_in_a_header_is_a_dead_letter(shop, letters):
    order_id = new_id()

    shop.send("order_shipped", b"no event at all", order_id, headers={"note": b"a\x00b"})

    (letter,) = letters("order_shipped", order_id)
    assert (letter["stage"], letter["note"].decode()) == (b"orders", "a\ufffdb")


def test_a_return_with_a_nul_in_its_id_that_asks_for_too_much_is_a_dead_letter(shop, letters, eventually):
    order_id = shop.buy(shop.product())
    shop.settled(order_id)

    shop.tell("order_returned", **returned(order_id, "r\x00", refund_minor=10**9))

    eventually(lambda: b"orders" in {letter["stage"] for letter in letters("order_returned", order_id)})


def test_a_nul_in_a_correlation_id_does_not_block_later_events(shop, eventually):
    order_id, lamp = new_id(), shop.product()
    line = {
        "line_number": 1, "product_id": lamp, "seller_id": "seller-1", "quantity": 2, "unit_price_minor": 1,
        "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 0,
    }  # fmt: skip

    shop.sql("INSERT INTO orders.how_to_pay VALUES ($1, 'pix', 'tok', 1)", order_id)
    headers = {"correlation_id": b"c\x00" + b"x" * 100_000}
    shop.tell(
        "order_placed", "orders", headers, order_id=order_id, shopper_id="ana", currency="BRL", lines=[line]
    )

    eventually(lambda: shop.events("payment_captured", order_id))


def test_an_event_id_too_long_to_store_is_a_dead_letter(shop, letters):
    order_id = new_id()
    long = "".join(new_id() for _ in range(500))

    shop.tell("order_cancelled", "orders", event_id=long, order_id=order_id, shopper_id="ana",
              reason="unknown", placed_at=0, currency="BRL", lines=[])  # fmt: skip

    readers = {name.encode() for name, service in SERVICES.items() if "order_cancelled" in service.reads}
    assert {letter["stage"] for letter in letters("order_cancelled", order_id)} <= readers


def test_a_message_too_large_for_kafka_does_not_block_later_ones(shop, letters):
    key = new_id()
    shop.sql(
        "INSERT INTO orders.outbox (topic, key, value, headers) VALUES ('order_confirmed', $1, $2, $3)",
        key.encode(), b"x" * 1_200_000, orjson.dumps({"origin": "orders"}).decode(),
    )  # fmt: skip

    assert shop.settled(shop.buy(shop.product()))["status"] == "confirmed"
    (letter,) = letters("order_confirmed", key)
    assert (letter["stage"], letter["truncated_from"]) == (b"orders", b"1200000")
