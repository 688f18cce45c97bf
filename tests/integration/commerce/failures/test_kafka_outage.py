"""One outage of Kafka: orders, an expired reservation and a changed setting, during and after it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from common.configuration.definitions import BREAKER_WINDOW
from schemas.configuration.watcher import ConfigurationWatcher
from tests.integration.commerce.conftest import Shop
from tests.integration.conftest import Kafka
from tests.integration.servers import await_true

EXPIRE = "UPDATE inventory.reservations SET expires_at = now() - interval '1 second' WHERE order_id = $1"
CHECKED = "SELECT FROM inventory.reservations WHERE order_id = $1 AND expires_at > now()"
"""Finds a reservation that expired, was checked and was extended."""

CAPTURED = "SELECT FROM payments.payments WHERE order_id = $1 AND state = 'captured'"
OTHER_VALUE = 137


@dataclass(frozen=True)
class Outage:
    """What was done and observed while Kafka was down. It runs again."""

    accepted: str
    """An order that was placed during the outage."""
    status: str
    """Its status during the outage."""
    last_unit: str
    """A product with one unit."""
    paid: str
    """The order of the unit. It was paid during the outage, which was longer than its reservation."""
    late: str
    """An order of the same unit, placed during the outage."""
    watcher: ConfigurationWatcher
    value: int
    """What the watcher returned for the breaker's window when the setting was already `OTHER_VALUE`."""


def expire(shop: Shop, order_id: str, lamp: str) -> None:
    """Let the time of a reservation run out, and wait until inventory has checked the reservation."""
    shop.sql(EXPIRE, order_id)
    await_true(lambda: shop.sql(CHECKED, order_id) or shop.stock(lamp) == (1, 0), "the check")


@pytest.fixture(scope="module")
def outage(running_shop: Shop, kafka: Kafka) -> Iterator[Outage]:
    shop = running_shop
    if shop.process.poll() is not None:
        shop.start()  # the previous test stopped it
    lamp, vase = shop.product(stock=1), shop.product(stock=5)
    paid = shop.buy(lamp, token="tok_slow_bank")
    await_true(lambda: shop.payment(paid).get("attempts") == 1, "the request to the provider")
    with ConfigurationWatcher(shop.settings) as watcher:
        assert watcher.wait_until_current(60)
        kafka.kill()
        try:
            accepted = shop.buy(vase)
            status = shop.order(accepted)["status"]
            change = {"value": OTHER_VALUE, "reason": "a test"}
            shop.http.put(f"/v1/settings/{BREAKER_WINDOW.name}", json=change).raise_for_status()
            expire(shop, paid, lamp)
            await_true(lambda: shop.sql(CAPTURED, paid), "the payment")
            expire(shop, paid, lamp)
            late = shop.buy(lamp)
            await_true(lambda: not watcher.wait_until_current(0), "the loss of the connection")
            value = watcher.values.get(BREAKER_WINDOW)
        finally:
            kafka.start()
        yield Outage(accepted, status, lamp, paid, late, watcher, value)


def test_while_kafka_is_down_orders_are_accepted_and_confirmed_afterwards(shop, outage, eventually):
    assert outage.status == "placed"
    assert shop.settled(outage.accepted)["status"] == "confirmed"
    eventually(shop.caught_up)
    assert len(shop.events("order_placed", outage.accepted)) == 1


def test_an_order_that_was_paid_during_an_outage_longer_than_its_reservation_is_confirmed(
    shop, outage, eventually
):
    assert shop.settled(outage.paid)["status"] == "confirmed"
    assert shop.settled(outage.late)["cancellation_reason"] == "out_of_stock"
    eventually(shop.caught_up)
    eventually(lambda: shop.stock(outage.last_unit) == (0, 0))
    assert shop.events("stock_released", outage.paid) == []
    assert shop.order(outage.paid)["status"] == "confirmed"


def test_a_watcher_connects_again_after_the_outage(outage, eventually):
    assert outage.value != OTHER_VALUE
    eventually(lambda: outage.watcher.values.get(BREAKER_WINDOW) == OTHER_VALUE)
