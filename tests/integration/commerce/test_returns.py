"""Orders accepts returns, inventory and payments act on them, and a returned order is not cancelled."""

import asyncio

import pytest

from common.clock import from_millis, system_clock
from common.ids import new_id
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from producers.services.orders.returns_of_before import settle_returns_of_before
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from schemas.setup import register_schemas
from tests.integration.commerce.returns import back, letters, returned

SET_STATUS = "UPDATE orders.orders SET status = $2, cancellation_reason = $3 WHERE order_id = $1"
"""Gives an order a status that inventory and payments have not read yet."""

LINES = """SELECT (ordered.returned, ordered.returned_minor) AS in_orders, reserved.returned AS in_inventory
FROM orders.order_lines AS ordered
JOIN inventory.reserved_lines AS reserved USING (order_id, line_number)
WHERE order_id = $1"""


@pytest.fixture
def lamp(shop):
    return shop.product(stock=5, price_minor=900)


@pytest.fixture
def order_id(shop, lamp, eventually):
    """A confirmed order of two lamps, which inventory has sold."""
    order_id = shop.buy(lamp, quantity=2)
    assert shop.settled(order_id)["status"] == "confirmed"
    eventually(lambda: shop.stock(lamp) == (3, 0))
    return order_id


def cancel(shop, order_id):
    return shop.http.post(f"/v1/orders/{order_id}/cancellation", json={})


def steps(shop, order_id):
    return [step["status"] for step in shop.order(order_id)["history"]]


def is_rejected(shop, order_id):
    return [service for service, _ in letters(shop, order_id)] == ["orders"]


def test_a_partly_returned_order_can_not_be_cancelled(shop, lamp, order_id, eventually):
    shop.tell("order_returned", **back(order_id, returned(lamp, 1, refund_minor=900)))
    eventually(lambda: shop.order(order_id)["payment"]["refunded_minor"] == 900)

    answer = cancel(shop, order_id)

    assert answer.status_code == 409, answer.text
    assert answer.json()["type"] == "urn:souk:problem:too-late-to-cancel"
    assert "Return the rest of it instead" in answer.json()["detail"]
    assert shop.order(order_id)["status"] == "confirmed"
    assert shop.events("order_cancelled", order_id) == []
    assert shop.stock(lamp) == (4, 0)


def test_a_refund_has_what_its_return_says(shop, eventually):
    lamp, chair = shop.product(price_minor=900), shop.product(price_minor=250)
    order_id = shop.buy(lamp, chair, quantity=2)
    shop.settled(order_id)
    placed_at = from_millis(1_700_000_000_123)
    lines = [
        returned(chair, 1, refund_minor=200) | {"line_number": 2},
        returned(lamp, 2, refund_minor=1_800),
        returned(chair, 1, refund_minor=0) | {"line_number": 2, "restocked": False},
    ]

    shop.tell("order_returned", **back(order_id, *lines, placed_at=placed_at))

    (refunded,) = eventually(lambda: shop.events("payment_refunded", order_id))
    assert refunded["amount_minor"] == 2_000
    assert (refunded["seller_id"], refunded["placed_at"]) == ("seller-1", placed_at)
    assert [each.pop("marketplace_minor") for each in refunded["lines"]] == [None] * 3
    assert refunded["lines"] == [
        {"line_number": 2, "product_id": chair, "quantity": 1, "refund_minor": 200},
        {"line_number": 1, "product_id": lamp, "quantity": 2, "refund_minor": 1_800},
        {"line_number": 2, "product_id": chair, "quantity": 1, "refund_minor": 0},
    ]


def test_a_refund_that_was_stored_without_the_goods_reports_none(shop, order_id, eventually):
    shop.sql(
        "INSERT INTO payments.refunds (refund_id, order_id, amount_minor, reason, return_id, try_at) "
        "VALUES ($1, $2, 900, 'order_returned', 'r', now())",
        new_id(),
        order_id,
    )

    (refunded,) = eventually(lambda: shop.events("payment_refunded", order_id))

    assert refunded["return_id"] == "r"
    assert (refunded["seller_id"], refunded["placed_at"], refunded["lines"]) == (None, None, [])


def test_a_return_from_before_it_was_settled_is_settled_once(shop, lamp, order_id, eventually):
    told = back(order_id, returned(lamp, 1, refund_minor=900), event_id=new_id())
    shop.tell("order_returned", headers={"only_for": "nobody"}, **told)  # orders has read it before
    shop.sql("INSERT INTO orders.unsettled_returns VALUES ($1, $2)", order_id, told["return_id"])

    for _ in range(2):
        asyncio.run(settle(shop))

    eventually(lambda: shop.stock(lamp) == (4, 0))
    eventually(lambda: shop.order(order_id)["payment"]["refunded_minor"] == 900)
    (event,) = shop.events("return_settled", order_id)
    assert event["event_id"] == told["event_id"]
    assert shop.sql("SELECT FROM orders.unsettled_returns") == []


def test_a_return_that_was_acted_on_as_order_returned_is_not_acted_on_again(shop, lamp, order_id, eventually):
    told = back(order_id, returned(lamp, 1, refund_minor=900), event_id=new_id())
    shop.tell("order_returned", headers={"only_for": "nobody"}, **told)
    shop.sql("INSERT INTO orders.unsettled_returns VALUES ($1, $2)", order_id, told["return_id"])
    for service in ("inventory", "payments"):
        shop.sql(f"INSERT INTO {service}.inbox (id, topic) VALUES ($1, 'order_returned')", told["event_id"])

    asyncio.run(settle(shop))

    eventually(lambda: shop.events("return_settled", order_id))
    eventually(shop.caught_up)
    assert shop.stock(lamp) == (3, 0)
    assert shop.events("payment_refunded", order_id) == []
    assert letters(shop, order_id, "return_settled") == []


async def settle(shop):
    """Run the worker of orders that settles returns of before."""
    with SchemaRegistry(shop.settings.registry) as registry:
        ids = register_schemas(registry, [all_events()["return_settled"]])
    async with make_pool(shop.settings, "orders", 1) as pool:
        transactions = Transactions(pool, EventWriter("orders", ids), system_clock, Notifier("orders"))
        await settle_returns_of_before(transactions, shop.settings)


def test_a_rejected_return_does_not_prevent_a_cancellation(shop, lamp, order_id, eventually):
    shop.tell("order_returned", **back(order_id, returned(lamp, 9, refund_minor=900)))
    eventually(lambda: is_rejected(shop, order_id))

    assert cancel(shop, order_id).status_code == 202

    eventually(lambda: shop.stock(lamp) == (5, 0))
    eventually(lambda: shop.order(order_id)["payment"]["refunded_minor"] == 1_800)


@pytest.mark.parametrize(
    ("topic", "origin", "fields"),
    [
        ("payment_failed", "payments",
         {"payment_id": "p", "shopper_id": "ana", "method": "pix", "currency": "BRL", "amount_minor": 1_800,
          "attempt": 1, "final": True, "reason": "insufficient_funds"}),
        ("stock_refused", "inventory", {"lines": []}),
        ("stock_released", "inventory", {"reservation_id": "r", "reason": "expired", "lines": []}),
    ],
    ids=["payment_failed", "stock_refused", "stock_released"],
)  # fmt: skip
def test_an_event_that_would_cancel_a_partly_returned_order_is_a_dead_letter(
    shop, lamp, order_id, eventually, topic, origin, fields
):
    shop.tell("order_returned", **back(order_id, returned(lamp, 1, refund_minor=900)))
    eventually(lambda: shop.order(order_id)["payment"]["refunded_minor"] == 900)

    event_id = shop.tell(topic, origin, order_id=order_id, **fields)

    reason = f"order {order_id} was partly returned, so it can't be cancelled"
    eventually(
        lambda: letters(shop, order_id, topic) or shop.sql("SELECT FROM orders.inbox WHERE id = $1", event_id)
    )
    assert letters(shop, order_id, topic) == [("orders", reason)]
    assert shop.order(order_id)["status"] == "confirmed"
    assert shop.order(order_id)["payment"]["status"] == "captured"
    assert shop.stock(lamp) == (4, 0)


def test_a_return_of_an_order_that_was_just_cancelled_is_rejected(shop, lamp, order_id, eventually):
    shop.sql(SET_STATUS, order_id, "cancelled", "shopper_request")

    shop.tell("order_returned", **back(order_id, returned(lamp, 1, refund_minor=900)))

    reason = f"order {order_id} is cancelled, so it can't be returned"
    eventually(lambda: letters(shop, order_id) == [("orders", reason)])
    assert shop.stock(lamp) == (3, 0)
    assert shop.events("payment_refunded", order_id) == []


def test_a_return_that_comes_before_the_capture_is_rejected(shop, lamp, eventually):
    order_id = shop.buy(lamp, quantity=2, token="tok_slow_bank")
    eventually(lambda: shop.payment(order_id).get("attempts") == 1)

    shop.tell("order_returned", **back(order_id, returned(lamp, 1, refund_minor=900)))

    reason = f"order {order_id} is not paid yet, so it can't be returned"
    eventually(lambda: letters(shop, order_id) == [("orders", reason)])
    assert shop.settled(order_id)["status"] == "confirmed"
    eventually(lambda: shop.stock(lamp) == (3, 0))
    assert steps(shop, order_id) == ["placed", "confirmed"]
    assert shop.events("payment_refunded", order_id) == []


def test_a_return_that_inventory_reads_before_the_confirmation_is_accepted(shop, lamp, order_id, eventually):
    shop.sql("UPDATE inventory.reservations SET state = 'held' WHERE order_id = $1", order_id)
    shop.sql("UPDATE inventory.stock SET on_hand = 5, reserved = 2 WHERE product_id = $1", lamp)

    shop.tell("order_returned", **back(order_id, returned(lamp, 1, refund_minor=900)))

    eventually(lambda: shop.stock(lamp) == (4, 0))
    eventually(lambda: shop.order(order_id)["payment"]["refunded_minor"] == 900)
    eventually(lambda: "returned" in steps(shop, order_id))
    assert letters(shop, order_id) == []


def test_returns_of_a_line_refund_at_most_its_amount(shop, lamp, order_id, eventually):
    shop.tell("order_returned", **back(order_id, returned(lamp, 1, refund_minor=1_000)))
    shop.tell("order_returned", **back(order_id, returned(lamp, 1, refund_minor=801)))

    eventually(lambda: is_rejected(shop, order_id))
    shop.tell("order_returned", **back(order_id, returned(lamp, 1, refund_minor=800)))

    eventually(lambda: shop.order(order_id)["payment"]["status"] == "refunded")
    eventually(lambda: shop.stock(lamp) == (5, 0))
    (line,) = shop.sql(LINES, order_id)
    assert line == {"in_orders": (2, 1_800), "in_inventory": 2}


def test_a_refund_without_units_counts_towards_the_amount_of_its_line(shop, lamp, order_id, eventually):
    shop.tell("order_returned", **back(order_id, returned(lamp, 0, refund_minor=1_000)))
    shop.tell("order_returned", **back(order_id, returned(lamp, 2, refund_minor=801)))

    eventually(lambda: is_rejected(shop, order_id))
    assert [event["amount_minor"] for event in shop.events("payment_refunded", order_id)] == [1_000]
    assert shop.stock(lamp) == (3, 0)
