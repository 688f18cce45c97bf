"""Expired reservations are released, unless the order's payment was taken or may have been taken."""

import asyncio

import pytest

from common.clock import system_clock
from common.errors import Retryable
from common.ids import new_id
from producers.kit.http.peers import Peers
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from producers.services.inventory.model import RESERVATION_TTL
from producers.services.inventory.reservation_expiry import expire_reservations_once
from tests.ports import free_offset

NOWHERE = f"http://127.0.0.1:{8_000 + free_offset()}"
EXPIRE = "UPDATE inventory.reservations SET expires_at = now() - interval '1 second' WHERE order_id = $1"


@pytest.fixture
def reserve(shop, eventually):
    """A function that reserves units for an order that can't be paid: orders has no payment details of it."""

    def placed(product_id, quantity):
        order_id = new_id()
        line = {
            "line_number": 1, "product_id": product_id, "seller_id": "seller-1", "quantity": quantity,
            "unit_price_minor": 1, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0,
            "commission_bp": 0,
        }  # fmt: skip
        order = {"order_id": order_id, "shopper_id": "ana", "currency": "BRL", "lines": [line]}
        shop.tell("order_placed", "orders", **order)
        eventually(lambda: shop.stock(product_id)[1] == quantity)
        return order_id

    return placed


def released(shop, order_id):
    return [event["reason"] for event in shop.events("stock_released", order_id)]


def test_units_of_an_unpaid_order_are_released_when_their_time_runs_out(shop, reserve, eventually):
    lamp = shop.product(stock=5)
    order_id = reserve(lamp, 2)

    shop.sql(EXPIRE, order_id)

    eventually(lambda: shop.stock(lamp) == (5, 0))
    eventually(lambda: released(shop, order_id) == ["expired"])


def test_an_order_whose_provider_has_not_answered_in_time_is_cancelled_and_costs_nothing(shop, eventually):
    lamp = shop.product(stock=5)
    order_id = shop.buy(lamp, token="tok_slow_bank")
    eventually(lambda: shop.payment(order_id).get("attempts") == 1)

    shop.sql(EXPIRE, order_id)

    def decided():
        if shop.payment(order_id)["state"] not in ("void", "captured"):
            return False
        shop.sql(f"{EXPIRE} AND state = 'held'", order_id)
        return shop.order(order_id)["status"] != "placed"

    eventually(decided)
    order = shop.order(order_id)
    if order["status"] == "cancelled":  # otherwise the money was taken before the void
        assert order["cancellation_reason"] == "timed_out"
        eventually(lambda: shop.stock(lamp) == (5, 0))
        assert shop.events("payment_captured", order_id) == []
    else:
        eventually(lambda: shop.stock(lamp) == (4, 0))


def test_without_an_answer_of_payments_the_units_stay_reserved(shop, reserve, eventually):
    lamp = shop.product(stock=5)
    order_id = reserve(lamp, 2)
    nowhere = shop.settings.model_copy(update={"service_urls": {"payments": NOWHERE}})

    async def check():
        async with make_pool(shop.settings, "inventory", 1) as pool:
            transactions = Transactions(
                pool,
                EventWriter("inventory", {}),
                lambda: system_clock() + RESERVATION_TTL,
                Notifier("inventory"),
            )
            await expire_reservations_once(transactions, Peers(nowhere, "inventory"))

    with pytest.raises(Retryable, match="payments"):
        asyncio.run(check())

    assert shop.stock(lamp) == (5, 2)
    assert released(shop, order_id) == []
    shop.sql(EXPIRE, order_id)  # the service itself has its answer
    eventually(lambda: shop.stock(lamp) == (5, 0))


def test_an_order_whose_reservation_ran_out_is_never_charged_later(shop, reserve, eventually):
    lamp = shop.product(stock=5)
    order_id = reserve(lamp, 1)
    shop.sql(EXPIRE, order_id)
    eventually(lambda: released(shop, order_id) == ["expired"])

    shop.tell(
        "stock_reserved", "inventory", reservation_id=new_id(), order_id=order_id, expires_at=0, lines=[]
    )
    shop.settled(shop.buy(lamp))  # of the same topics, later

    assert shop.payment(order_id)["state"] == "void"


def test_a_paid_order_whose_units_were_released_is_cancelled_and_refunded(shop, eventually):
    lamp = shop.product(stock=5, price_minor=300)
    order_id = shop.buy(lamp)
    shop.settled(order_id)

    shop.tell(
        "stock_released", "inventory", order_id=order_id, reservation_id=new_id(), reason="expired", lines=[]
    )

    eventually(lambda: shop.order(order_id)["status"] == "cancelled")
    eventually(lambda: shop.order(order_id)["payment"]["status"] == "refunded")
    assert shop.order(order_id)["cancellation_reason"] == "timed_out"
    assert [event["amount_minor"] for event in shop.events("payment_refunded", order_id)] == [300]


def test_a_paid_order_whose_confirmation_is_unread_after_a_downtime_is_sold(shop, eventually):
    lamp = shop.product(stock=5)
    order_id = shop.buy(lamp, quantity=2, token="tok_slow_bank")
    eventually(lambda: shop.payment(order_id).get("attempts") == 1)
    with shop.locked("SELECT FROM inventory.reservations WHERE order_id = $1 FOR UPDATE", order_id):
        assert shop.settled(order_id)["status"] == "confirmed"
        shop.kill()
    shop.sql(EXPIRE, order_id)

    shop.start()

    eventually(lambda: shop.stock(lamp) == (3, 0))
    assert released(shop, order_id) == []
    assert shop.order(order_id)["status"] == "confirmed"
