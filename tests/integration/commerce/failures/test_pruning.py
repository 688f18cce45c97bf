import asyncio
from datetime import timedelta

import pytest

from common.clock import system_clock
from common.ids import new_id
from producers.kit.inbox.message_processor import PRUNE_INBOX, never_pruned_topics
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres import pruning
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from producers.services.carts.store import EXPIRE_CARTS
from producers.services.inventory.handlers import SUBSCRIPTIONS as INVENTORY
from producers.services.orders.handlers import SUBSCRIPTIONS as ORDERS
from producers.services.orders.store import PRUNE_KEYS
from producers.services.payments.handlers import SUBSCRIPTIONS as PAYMENTS

AGE = timedelta(days=30)
OLD = """INSERT INTO orders.inbox (id, topic, acted_at)
SELECT $1 || n, $2, now() - $3 * interval '1 day' FROM generate_series(1, $4) AS n"""
LEFT = "SELECT FROM orders.inbox WHERE id LIKE $1 || '%'"


def prune(shop, service, statement, *arguments):
    """Return the number of rows that a service's pruning deletes now."""

    async def once() -> int:
        async with make_pool(shop.settings, service, 1) as pool:
            transactions = Transactions(pool, EventWriter(service, {}), system_clock, Notifier(service))
            return await pruning.prune_once(transactions, statement, AGE, *arguments)

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("topic", "days", "left"),
    [("order_shipped", 31, 0), ("order_shipped", 29, 3), ("order_returned", 31, 3)],
)
def test_old_event_ids_are_pruned_but_not_those_that_are_never_pruned(shop, topic, days, left):
    event = new_id()
    shop.sql(OLD, event, topic, days, 3)

    prune(shop, "orders", PRUNE_INBOX, never_pruned_topics(ORDERS))

    assert len(shop.sql(LEFT, event)) == left


def test_many_rows_are_pruned_in_batches(shop, monkeypatch):
    event = new_id()
    shop.sql(OLD, event, "order_shipped", 31, 25)
    monkeypatch.setattr(pruning, "BATCH_ROWS", 10)

    assert prune(shop, "orders", PRUNE_INBOX, never_pruned_topics(ORDERS)) == 25
    assert shop.sql(LEFT, event) == []


def test_a_checkout_is_idempotent_as_long_as_its_key_is_kept(shop):
    body, old, young = shop.body(shop.product()), new_id(), new_id()
    first = {key: shop.post(body, key).json()["order_id"] for key in (old, young)}
    shop.sql(
        "UPDATE orders.idempotency_keys SET answered_at = now() - interval '31 days' WHERE key = $1", old
    )

    prune(shop, "orders", PRUNE_KEYS)

    assert shop.post(body, young).json()["order_id"] == first[young]
    assert shop.post(body, old).json()["order_id"] != first[old]


def test_an_order_whose_pruned_events_arrive_again_does_not_change(shop, eventually):
    lamp = shop.product(stock=5)
    order_id = shop.buy(lamp, quantity=2)
    shop.settled(order_id)
    shipped = shop.tell("order_shipped", order_id=order_id, shipment_id="s1", seller_id="seller-1")
    eventually(lambda: shop.order(order_id)["status"] == "shipped")
    eventually(lambda: shop.stock(lamp) == (3, 0))
    eventually(shop.caught_up)
    before, charges = shop.order(order_id), shop.payment(order_id)
    for service, subscriptions in (("orders", ORDERS), ("inventory", INVENTORY), ("payments", PAYMENTS)):
        for topic in sorted({one.event for one in subscriptions} - {"order_returned"}):
            shop.sql(f"DELETE FROM {service}.inbox WHERE topic = $1", topic)

    again = [
        message
        for topic in (
            "order_placed",
            "stock_reserved",
            "payment_captured",
            "order_confirmed",
            "order_shipped",
        )
        for message in shop.messages(topic)
        if message.key() == order_id.encode()
    ]
    for message in again:
        headers = {name: value.decode() for name, value in message.headers() or ()}
        shop.send(message.topic(), message.value(), order_id, headers=headers)

    for service, topic in (("inventory", "order_confirmed"), ("payments", "stock_reserved")):
        eventually(lambda service=service, topic=topic: acted_on(shop, service, topic, order_id))
    eventually(lambda: shop.sql("SELECT FROM orders.inbox WHERE id = $1", shipped))
    eventually(shop.caught_up)
    assert shop.order(order_id) == before
    assert shop.payment(order_id) == charges
    assert shop.stock(lamp) == (3, 0)


def acted_on(shop, service, topic, order_id):
    (event,) = {event["event_id"] for event in shop.events(topic, order_id)}
    return shop.sql(f"SELECT FROM {service}.inbox WHERE id = $1", event)


def test_untouched_carts_of_guests_expire_and_so_do_empty_ones(shop):
    made = """WITH cart AS (
        INSERT INTO carts.carts
        SELECT $1, $1, '{}', $2, $1, moment, moment, true
        FROM (SELECT now() - $3 * interval '1 day') AS at (moment)
        RETURNING cart_id
    ) INSERT INTO carts.lines SELECT cart_id, 'p', 's', 1, true, 'BRL', 1, now() FROM cart WHERE $4"""
    carts = {
        name: f"{name}-{new_id()}"
        for name in ("guest", "young guest", "person", "empty person", "young empty")
    }
    for name, cart_id in carts.items():
        is_young, is_full = "young" in name, "empty" not in name
        shop.sql(made, cart_id, "guest" in name, 29 if is_young else 31, is_full)

    prune(shop, "carts", EXPIRE_CARTS)

    left = shop.sql("SELECT cart_id FROM carts.carts WHERE cart_id = ANY($1)", list(carts.values()))
    assert {row["cart_id"] for row in left} == {
        carts[name] for name in ("young guest", "person", "young empty")
    }
