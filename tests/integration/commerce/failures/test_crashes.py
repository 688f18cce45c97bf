import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.ids import new_id

DONE_ONCE = "Send the same request again, with the same Idempotency-Key: it takes effect once"
MAY_BE_DONE = "The request may or may not have taken effect: check the result before you send it again."
ONLY_ASKED = "Nothing is lost: send the request again in a moment."

LEFT = "SELECT count(*) AS orders FROM orders.orders WHERE status = 'placed' AND shopper_id = $1"
CHARGED = (
    "SELECT count(*) AS charges FROM provider.charges JOIN payments.payments ON payment_id = idempotency_key "
    "WHERE shopper_id = $1 AND outcome = 'captured'"
)


@pytest.mark.parametrize("after", [4, *(pytest.param(n, marks=pytest.mark.nightly) for n in (1, 9))])
def test_orders_end_correctly_after_the_services_are_killed(shop, eventually, after):
    """The process is killed when `after` of 20 orders are confirmed and the others are at earlier steps."""
    lamp, shopper = shop.product(stock=15, price_minor=100), new_id()
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(lambda _: shop.buy(lamp, shopper_id=shopper), range(20)))
    confirmed = "SELECT FROM orders.orders WHERE status = 'confirmed' AND shopper_id = $1"
    eventually(lambda: len(shop.sql(confirmed, shopper)) >= after)

    shop.kill()
    shop.start()

    eventually(lambda: shop.sql(LEFT, shopper) == [{"orders": 0}])
    assert len(shop.sql(confirmed, shopper)) == 15
    eventually(lambda: shop.stock(lamp) == (0, 0))
    assert shop.sql(CHARGED, shopper) == [{"charges": 15}]


def test_after_a_crash_during_the_provider_call_a_payment_is_taken_once_and_the_response_is_the_same(
    shop, eventually
):
    shopper, key = new_id(), new_id()
    body = shop.body(shop.product(), token="tok_slow_bank", shopper_id=shopper)
    first = shop.post(body, key)
    order_id = first.json()["order_id"]
    eventually(lambda: shop.payment(order_id).get("attempts") == 1)

    shop.kill()
    shop.start()

    assert shop.post(body, key).content == first.content
    assert shop.settled(order_id)["status"] == "confirmed"
    assert shop.payment(order_id)["attempts"] == 2
    assert shop.sql(CHARGED, shopper) == [{"charges": 1}]
    eventually(shop.caught_up)
    assert len({event["event_id"] for event in shop.events("payment_captured", order_id)}) == 1


def test_the_services_stop_on_sigterm_and_continue_after_a_restart(shop):
    order_id = shop.buy(shop.product())

    shop.process.send_signal(signal.SIGTERM)
    assert shop.process.wait(60) == 0
    shop.start()

    assert shop.settled(order_id)["status"] == "confirmed"


def test_while_postgresql_is_down_an_order_is_refused_and_accepted_afterwards(shop, postgres, eventually):
    lamp = shop.product(stock=5)
    body, key = shop.body(lamp), new_id()

    postgres.stop()
    try:
        down = shop.post(body, key)
        ready = shop.http.get("/ready")
    finally:
        postgres.start()

    assert (down.status_code, down.headers["retry-after"]) == (503, "2")
    assert down.json()["type"] == "urn:souk:problem:postgres-unavailable"
    assert ready.status_code == 503
    assert {"orders", "inventory", "payments"} <= ready.json()["missing"].keys()
    taken = eventually(lambda: answer if (answer := shop.post(body, key)).status_code == 202 else None)
    assert "idempotent-replayed" not in taken.headers
    assert shop.settled(taken.json()["order_id"])["status"] == "confirmed"


def test_while_postgresql_is_down_responses_say_what_may_be_repeated(shop, postgres, eventually):
    lamp = shop.product(stock=5)
    order_id, stock = shop.buy(lamp), {"seller_id": "seller-1", "on_hand": 3}
    shop.settled(order_id)

    postgres.stop()
    try:
        told = {
            "place": shop.post(shop.body(lamp)),
            "look": shop.http.get(f"/v1/orders/{order_id}"),
            "cancel": shop.http.post(f"/v1/orders/{order_id}/cancellation", json={}),
            "set": shop.set_stock(lamp, 3),
            "set with a key": shop.http.put(
                f"/v1/products/{lamp}/stock", json=stock, headers={"Idempotency-Key": new_id()}
            ),
            "set many": shop.http.put("/v1/stock", json=[{**stock, "product_id": lamp}]),
        }
    finally:
        postgres.start()

    assert {answer.status_code for answer in told.values()} == {503}
    details = {what: answer.json()["detail"] for what, answer in told.items()}
    assert DONE_ONCE in details["place"]
    assert DONE_ONCE in details["set with a key"]
    assert ONLY_ASKED in details["look"]
    assert all(MAY_BE_DONE in details[what] for what in ("cancel", "set", "set many"))
    assert sum("Idempotency-Key" in detail for detail in details.values()) == 2
    eventually(lambda: shop.http.get("/ready").status_code == 200)
