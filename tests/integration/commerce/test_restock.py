"""What needs more stock, from what was sold."""

import asyncio

import asyncpg
import pytest

from common.clock import system_clock
from common.ids import new_id
from producers.services.inventory import restock
from tests.integration.commerce.people import person, staff


@pytest.fixture
def seller_id():
    return f"seller-{new_id()}"


def needs(shop, seller_id):
    """Return what the seller reads."""
    http = shop.as_principal(staff(seller_id, "fulfilment"))
    return http.get(f"/v1/sellers/{seller_id}/restock").raise_for_status().json()["needs"]


def sell(shop, product_id, seller_id, units):
    """Sell units, as the saga does."""
    order_id = new_id()
    shop.sql(
        "WITH sold AS (INSERT INTO inventory.reservations VALUES ($1, $1, 'sold', now()) RETURNING order_id) "
        "INSERT INTO inventory.reserved_lines (order_id, line_number, product_id, seller_id, quantity) "
        "SELECT order_id, 1, $2, $3, $4 FROM sold",
        order_id, product_id, seller_id, units,
    )  # fmt: skip


def compute(shop):
    """Compute the levels now; the worker does so every quarter of an hour."""

    class _Moment:
        def __init__(self, sql):
            self.sql, self.now = sql, system_clock()

    async def save():
        connection = await asyncpg.connect(shop.settings.postgres)
        try:
            await connection.execute("SET search_path TO inventory")
            await restock.save_levels(_Moment(connection))
        finally:
            await connection.close()

    asyncio.run(save())


def test_a_product_that_lasts_less_than_a_week_needs_stock_for_four(shop, seller_id, eventually):
    fast, slow = (shop.product(stock=10, seller_id=seller_id) for _ in range(2))
    sell(shop, fast, seller_id, 60)
    sell(shop, slow, seller_id, 2)
    compute(shop)
    (need,) = needs(shop, seller_id)
    assert need == {
        "product_id": fast, "available": 10, "threshold": 15, "sold": 60, "on_hand": 10,
        "suggested_quantity": 50,
    }  # fmt: skip
    assert eventually(lambda: shop.events("restock_needed", fast))
    (event,) = shop.events("restock_needed", fast)
    assert (event["available"], event["threshold"], event["suggested_quantity"]) == (10, 15, 50)
    stock = {"seller_id": seller_id, "on_hand": need["on_hand"] + need["suggested_quantity"]}
    shop.http.put(f"/v1/products/{fast}/stock", json=stock).raise_for_status()
    assert needs(shop, seller_id) == []
    shop.await_row("SELECT FROM inventory.restock_levels WHERE product_id = $1 AND NOT told", fast)
    shop.http.put(f"/v1/products/{fast}/stock", json=stock | {"on_hand": 0}).raise_for_status()
    assert eventually(lambda: len(shop.events("restock_needed", fast)) == 2)


def test_nobody_else_reads_it(shop, seller_id):
    assert shop.as_principal(person()).get(f"/v1/sellers/{seller_id}/restock").status_code == 403
    other = shop.as_principal(staff("another-seller", "owner"))
    assert other.get(f"/v1/sellers/{seller_id}/restock").status_code == 404
