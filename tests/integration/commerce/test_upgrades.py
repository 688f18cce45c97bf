"""What a shop has taken before an upgrade is known after it."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from common.ids import new_id
from producers.inventory.service import INVENTORY
from producers.payments.service import PAYMENTS
from producers.postgres.migrate import migrate

OF_BEFORE = {"outbox": 99, "inbox": 99, "inventory": 2, "payments": 3}
"""Set of migrations → the last before returns were kept."""

REFUND = """INSERT INTO payments.refunds (refund_id, order_id, amount_minor, reason, return_id, causation_id)
VALUES ($1, $2, 900, $3, $4, $5)"""


@pytest.fixture
def database(shop):
    """A database of its own: `database(work)` gives what `work(connection, service)` gives in it."""
    name = f"upgrade_{new_id().replace('-', '')}"
    shop.sql(f"CREATE DATABASE {name}")

    def run(work):
        async def at_work():
            url = shop.settings.postgres.rpartition("/")[0]
            connection = await asyncpg.connect(f"{url}/{name}")
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(at_work())

    yield run
    shop.sql(f"DROP DATABASE {name}")


@pytest.fixture
def before(tmp_path):
    """The migrations of a service up to the last before returns were kept."""

    def folders(service):
        kept = {}
        for name, folder in service.migrations().items():
            kept[name] = Path(shutil.copytree(folder, tmp_path / service.name / name))
            for file in kept[name].glob("*.sql"):
                if int(file.name[:4]) > OF_BEFORE[name]:
                    file.unlink()
        return kept

    return folders


async def migrate_all(connection, folders):
    for service in (INVENTORY, PAYMENTS):
        await connection.execute(f"SET search_path TO {service.name}")
        await migrate(connection, service.name, folders(service))


def test_returns_that_were_taken_before_they_were_kept_are_known(database, before):
    order_id, taken, refunded_only = new_id(), new_id(), new_id()

    async def upgraded(connection):
        await migrate_all(connection, before)
        await connection.execute(
            "INSERT INTO inventory.reservations VALUES ($1, $2, 'sold', now())", order_id, new_id()
        )
        await connection.execute(
            "INSERT INTO payments.payments (order_id, payment_id) VALUES ($1, $2)", order_id, new_id()
        )
        await connection.execute("INSERT INTO inventory.inbox VALUES ($1, 'order_returned')", f"e-{taken}")
        for return_id in (taken, refunded_only):
            await connection.execute(
                REFUND, new_id(), order_id, "order_returned", return_id, f"e-{return_id}"
            )
        await connection.execute(REFUND, new_id(), order_id, "order_cancelled", None, "e-other")
        await migrate_all(connection, lambda service: service.migrations())
        return [
            {row["return_id"] for row in await connection.fetch(f"SELECT return_id FROM {schema}.returns")}
            for schema in ("inventory", "payments")
        ]

    assert database(upgraded) == [{taken}, {taken, refunded_only}]


def test_a_new_shop_whose_inventory_comes_first_has_no_returns(database):
    async def new(connection):
        await migrate_all(connection, lambda service: service.migrations())
        return await connection.fetch("SELECT FROM inventory.returns")

    assert database(new) == []
