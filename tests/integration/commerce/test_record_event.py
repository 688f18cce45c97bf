from datetime import timedelta

from common.clock import system_clock
from common.ids import new_id


def test_an_event_that_arrives_twice_takes_effect_once(shop, eventually):
    order_id, event_id = shop.buy(shop.product()), new_id()
    shop.settled(order_id)
    of = {"order_id": order_id, "seller_id": "seller-1"}

    for minutes, same_or_new in ((0, event_id), (1, event_id), (2, new_id())):
        at = system_clock() + timedelta(minutes=minutes)
        shop.tell("order_shipped", event_id=same_or_new, occurred_at=at, shipment_id=f"s{minutes}", **of)

    eventually(lambda: steps(shop, order_id).count("shipped") >= 2)  # the last event adds the second step
    assert steps(shop, order_id).count("shipped") == 2


def steps(shop, order_id):
    return [step["status"] for step in shop.order(order_id)["history"]]
