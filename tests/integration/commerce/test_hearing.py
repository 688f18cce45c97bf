import asyncio
from datetime import timedelta

import pytest

from common.clock import system_clock
from common.ids import new_id
from producers.inbox.acting import Acting
from producers.inbox.subscription import Received, Subscription
from producers.outbox.message import EventWriter
from producers.outbox.transaction import Transactions
from producers.postgres.listening import Waking
from producers.postgres.pool import make_pool


class Message:
    """What Kafka's client gives, as far as it is asked."""

    def topic(self):
        return "order_shipped"


async def forget(tx, event):
    """Neither notes the event nor does anything."""


def test_an_event_that_comes_again_is_acted_on_once(shop, eventually):
    order_id, event_id = shop.buy(shop.product()), new_id()
    shop.settled(order_id)
    of = {"order_id": order_id, "seller_id": "seller-1"}

    for minutes, same_or_new in ((0, event_id), (1, event_id), (2, new_id())):
        at = system_clock() + timedelta(minutes=minutes)
        shop.tell("order_shipped", event_id=same_or_new, occurred_at=at, shipment_id=f"s{minutes}", **of)

    eventually(lambda: steps(shop, order_id).count("shipped") >= 2)  # the last of them comes last
    assert steps(shop, order_id).count("shipped") == 2


def steps(shop, order_id):
    return [step["status"] for step in shop.order(order_id)["history"]]


def test_a_handler_that_is_said_to_note_its_event_and_does_not_breaks_the_service(shop):
    event_id = new_id()
    subscription = Subscription("order_shipped", forget, hears=True)

    async def act() -> None:
        async with make_pool(shop.settings, "orders", 1) as pool:
            transactions = Transactions(pool, EventWriter("orders", {}), system_clock, Waking("orders"))
            acting = Acting("orders", {"order_shipped": subscription}, transactions)
            await acting.act(Received(Message(), {}, {"event_id": event_id}))

    with pytest.raises(RuntimeError, match="without having noted it"):
        asyncio.run(act())
