"""An upgrade keeps what the services processed before it."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from common.clock import system_clock
from common.ids import new_id
from producers.kit.postgres.migrate import migrate
from producers.registry import SERVICES
from producers.services.orders.store import find_checkout
from producers.services.payments.store import claim_refunds
from producers.services.users import store

OF_BEFORE = {
    "outbox": 99,
    "inbox": 99,
    "idempotency": 99,
    "requests": 99,
    "inventory": 2,
    "orders": 3,
    "payments": 3,
}
"""Set of migrations → the number of the last one before returns and refunded amounts were stored."""

REFUND = """INSERT INTO payments.refunds (refund_id, order_id, amount_minor, reason, return_id, causation_id)
VALUES ($1, $2, $3, $4, $5, $6)"""


@pytest.fixture
def database(shop):
    """A function that runs `work(connection, service)` in a new database and returns its result."""
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
    """A function that returns the migrations of a service up to those in `OF_BEFORE`, or in `last`."""

    def folders(service, last=OF_BEFORE):
        kept = {}
        for name, folder in service.migrations().items():
            kept[name] = Path(shutil.copytree(folder, tmp_path / service.name / name))
            for file in kept[name].glob("*.sql"):
                if int(file.name[:4]) > last[name]:
                    file.unlink()
        return kept

    return folders


async def migrate_all(connection, folders):
    for service in (SERVICES["inventory"], SERVICES["orders"], SERVICES["payments"]):
        await connection.execute(f"SET search_path TO {service.name}")
        await migrate(connection, service.name, folders(service))


def test_returns_from_before_their_table_are_known_after_an_upgrade(database, before):
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
                REFUND, new_id(), order_id, 900, "order_returned", return_id, f"e-{return_id}"
            )
        await connection.execute(REFUND, new_id(), order_id, 900, "order_cancelled", None, "e-other")
        await migrate_all(connection, lambda service: service.migrations())
        return [
            {row["return_id"] for row in await connection.fetch(f"SELECT return_id FROM {schema}.returns")}
            for schema in ("inventory", "payments")
        ]

    assert database(upgraded) == [{taken}, {taken, refunded_only}]


def test_a_new_copy_that_migrates_inventory_first_has_no_returns(database):
    async def new(connection):
        await migrate_all(connection, lambda service: service.migrations())
        return await connection.fetch("SELECT FROM inventory.returns")

    assert database(new) == []


async def refunded(connection, amount_minor, *refunds):
    """Insert a refunded order and its refunds, each with its amount and whether the order has recorded it."""
    order_id = new_id()
    await connection.execute(
        "INSERT INTO orders.orders VALUES "
        "($1, 'ana', NULL, 'BRL', 'delivered', NULL, $2, 'pix', 'refunded', now())",
        order_id,
        amount_minor,
    )
    await connection.execute(
        "INSERT INTO payments.payments (order_id, payment_id) VALUES ($1, $2)", order_id, new_id()
    )
    for number, (amount, told) in enumerate(refunds):
        await connection.execute(REFUND, new_id(), order_id, amount, "order_returned", new_id(), "e")
        if told:
            await connection.execute(
                "INSERT INTO orders.order_steps VALUES ($1, 'refunded', now() + make_interval(secs => $2))",
                order_id,
                number,
            )
    return order_id


def test_refunds_from_before_their_column_are_those_of_payments(database, before):
    async def upgraded(connection):
        await migrate_all(connection, before)
        partly = await refunded(connection, 5_900, (900, True), (1_000, True))
        wholly = await refunded(connection, 5_900, (900, True), (5_000, True))
        unread = await refunded(connection, 5_900, (900, True), (5_000, False))
        await migrate_all(connection, lambda service: service.migrations())
        return [
            (
                *await connection.fetchrow(
                    "SELECT refunded_minor, payment_status FROM orders.orders WHERE order_id = $1", order_id
                ),
                await connection.fetchval(
                    "SELECT count(*) FROM payments.refunds JOIN orders.order_steps USING (order_id) "
                    "WHERE order_id = $1 AND about = refund_id::text",
                    order_id,
                ),
            )
            for order_id in (partly, wholly, unread)
        ]

    assert database(upgraded) == [(1_900, "captured", 2), (5_900, "refunded", 2), (900, "captured", 1)]


def test_an_old_refund_counts_as_full_without_the_tables_of_payments(database, before):
    async def upgraded(connection):
        await migrate_all(connection, before)
        order_id = await refunded(connection, 5_900, (900, True))
        await connection.execute("DROP SCHEMA payments CASCADE")
        await connection.execute("SET search_path TO orders")
        await migrate(connection, "orders", SERVICES["orders"].migrations())
        return await connection.fetchrow(
            "SELECT refunded_minor, payment_status FROM orders.orders WHERE order_id = $1", order_id
        )

    assert database(upgraded) == (5_900, "refunded")


def test_a_refund_from_before_its_goods_were_stored_is_claimed_without_them(database, before):
    async def upgraded(connection):
        await migrate_all(connection, before)
        await refunded(connection, 5_900, (900, False))
        await connection.execute("UPDATE payments.refunds SET try_at = now()")
        await migrate_all(connection, lambda service: service.migrations())
        return await claim_refunds(connection, system_clock(), 1)

    (refund,) = database(upgraded)

    assert (refund.amount_minor, refund.reason) == (900, "order_returned")
    assert (refund.seller_id, refund.placed_at, refund.lines) == (None, None, [])


SOLD_LINE = """WITH held AS (
    INSERT INTO inventory.reservations VALUES ($1, $2, 'sold', now()) RETURNING order_id
),
paid AS (INSERT INTO payments.payments (order_id, payment_id) VALUES ($1, $2) RETURNING order_id),
placed AS (
    INSERT INTO orders.orders
    VALUES ($1, 'ana', NULL, 'BRL', 'confirmed', NULL, 1800, 'pix', 'captured', now())
    RETURNING order_id
),
line AS (INSERT INTO orders.order_lines SELECT order_id, 1, 'lamp', 'ana', 2, 900, 0, 0, 0, 1000 FROM placed),
reserved AS (INSERT INTO inventory.reserved_lines SELECT order_id, 1, 'lamp', 'ana', 2, $3 FROM held)
INSERT INTO payments.due_lines SELECT order_id, 1, 2, 1800, $4, $5 FROM paid"""
"""An order of two lamps: units that inventory and payments took back, and what payments refunded."""


def test_an_order_that_a_service_took_back_in_part_has_returns_after_an_upgrade(database, before):
    async def upgraded(connection):
        await migrate_all(connection, before)
        found = []
        for taken_back, returned, refunded_minor in ((1, 1, 900), (0, 0, 500), (0, 1, 900), (0, 0, 0)):
            found.append(order_id := new_id())
            await connection.execute(SOLD_LINE, order_id, new_id(), taken_back, returned, refunded_minor)
            if refunded_minor:
                await connection.execute(
                    REFUND, new_id(), order_id, refunded_minor, "order_returned", new_id(), "e"
                )
        await migrate_all(connection, lambda service: service.migrations())
        return [
            await connection.fetchval("SELECT has_returns FROM orders.orders WHERE order_id = $1", order_id)
            for order_id in found
        ]

    assert database(upgraded) == [True, True, True, False]


def test_returns_that_not_every_service_has_read_are_to_be_settled_after_an_upgrade(database, before):
    last = OF_BEFORE | {"inventory": 6, "orders": 11, "payments": 7}

    async def upgraded(connection):
        await migrate_all(connection, lambda service: before(service, last))
        order_id = new_id()
        await connection.execute(
            "INSERT INTO orders.orders "
            "(order_id, shopper_id, currency, status, amount_minor, payment_method, placed_at) "
            "VALUES ($1, 'ana', 'BRL', 'confirmed', 1800, 'pix', now())",
            order_id,
        )
        for statement in (
            "INSERT INTO inventory.reservations VALUES ($1, $2, 'sold', now())",
            "INSERT INTO payments.payments (order_id, payment_id) VALUES ($1, $2)",
        ):
            await connection.execute(statement, order_id, new_id())
        for return_id in ("everywhere", "restocked only", "unread"):
            await connection.execute(
                "INSERT INTO orders.order_steps (order_id, step, occurred_at, about) "
                "VALUES ($1, 'returned', now(), $2)",
                order_id,
                return_id,
            )
        for schema, return_id in (
            ("inventory", "everywhere"),
            ("payments", "everywhere"),
            ("inventory", "restocked only"),
        ):
            await connection.execute(f"INSERT INTO {schema}.returns VALUES ($1, $2)", order_id, return_id)
        await migrate_all(connection, lambda service: service.migrations())
        return await connection.fetch("SELECT return_id FROM orders.unsettled_returns ORDER BY return_id")

    assert [row["return_id"] for row in database(upgraded)] == ["restocked only", "unread"]


def test_a_key_from_before_keys_had_owners_belongs_to_the_shopper_of_its_order(database, before):
    async def upgraded(connection):
        await migrate_all(connection, before)
        order_id = await refunded(connection, 5_900)
        await connection.execute(
            "INSERT INTO orders.idempotency_keys VALUES ('once', '', $1, 'the response')", order_id
        )
        await migrate_all(connection, lambda service: service.migrations())
        await connection.execute("SET search_path TO orders")
        found = (await find_checkout(connection, "once", ["eva", "ana"], [], "BRL", system_clock())).stored
        others = (await find_checkout(connection, "once", ["eva"], [], "BRL", system_clock())).stored
        return found, others

    found, others = database(upgraded)

    assert (found.answer, found.key_owner) == (b"the response", "ana")
    assert others is None


def test_commission_rules_of_before_their_events_are_copied(database, before):
    async def copied(connection):
        sellers, orders = SERVICES["sellers"], SERVICES["orders"]
        for service in (sellers, orders):
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {service.name}")
        await connection.execute("SET search_path TO sellers")
        await migrate(connection, "sellers", sellers.migrations())
        await connection.execute(
            "INSERT INTO commission_rules (rule_id, seller_id, rate_bp, minimum_minor, currency, valid_from, "
            "reason, created_at) VALUES ($1, 'ana', 700, 5, 'BRL', now(), 'As agreed.', now())",
            new_id(),
        )
        await connection.execute("SET search_path TO orders")
        await migrate(connection, "orders", before(orders, OF_BEFORE | {"orders": 10}))
        await migrate(connection, "orders", orders.migrations())
        columns = "rule_id, position, seller_id, rate_bp, minimum_minor, currency, valid_from"
        return [
            await connection.fetch(f"SELECT {columns} FROM {schema}.commission_rules ORDER BY rule_id")
            for schema in ("sellers", "orders")
        ]

    rules, copies = database(copied)

    assert len(rules) == 2
    assert copies == rules


@pytest.mark.parametrize(("service", "last"), [("users", 7), ("alerts", 3)])
def test_who_may_sell_since_before_its_events_is_copied(database, before, service, last):
    async def copied(connection):
        for name in ("sellers", service):
            await connection.execute(f"CREATE SCHEMA {name}")
        await connection.execute("SET search_path TO sellers")
        await migrate(connection, "sellers", SERVICES["sellers"].migrations())
        for seller_id, status in (("ana", "approved"), ("bia", "suspended"), ("carla", "applied")):
            await connection.execute(
                "INSERT INTO sellers (seller_id, status, source, created_at, registered_at) "
                "VALUES ($1, $2, 'event', now(), CASE WHEN $2 <> 'applied' THEN now() END)",
                seller_id,
                status,
            )
        await connection.execute(f"SET search_path TO {service}")
        await migrate(connection, service, before(SERVICES[service], OF_BEFORE | {service: last}))
        await migrate(connection, service, SERVICES[service].migrations())
        return await connection.fetch("SELECT seller_id, approved FROM seller_status ORDER BY seller_id")

    assert [tuple(row) for row in database(copied)] == [("ana", True), ("bia", False)]


def test_the_staff_of_before_its_requests_is_copied_without_those_who_have_no_account(database, before):
    ana, erased = new_id(), new_id()

    async def copied(connection):
        for name in ("sellers", "users"):
            await connection.execute(f"CREATE SCHEMA {name}")
        await connection.execute("SET search_path TO sellers")
        await migrate(connection, "sellers", SERVICES["sellers"].migrations())
        await connection.execute(
            "INSERT INTO sellers (seller_id, status, source, created_at, registered_at) "
            "SELECT seller_id, status, 'event', now(), now() "
            "FROM (VALUES ('lamps', 'approved'), ('vases', 'suspended')) AS found (seller_id, status)"
        )
        for user_id, seller_id, role in (
            (ana, "lamps", "owner"),
            (ana, "vases", "analyst"),
            (erased, "lamps", "manager"),
        ):
            await connection.execute(
                "INSERT INTO staff (seller_id, user_id, role, added_at) VALUES ($1, $2, $3, now())",
                seller_id,
                user_id,
                role,
            )
        await connection.execute("SET search_path TO users")
        await migrate(connection, "users", before(SERVICES["users"], OF_BEFORE | {"users": 8}))
        await connection.execute(
            "INSERT INTO people (user_id, email, sealed_shopper_id, verified_at) VALUES ($1, 'a', '', now())",
            ana,
        )
        await migrate(connection, "users", SERVICES["users"].migrations())
        return (
            await connection.fetch(
                "SELECT user_id::text, seller_id, role FROM staff_roles ORDER BY seller_id"
            ),
            await store.find_memberships(connection, ana),
        )

    roles, memberships = database(copied)

    assert [tuple(row) for row in roles] == [(ana, "lamps", "owner"), (ana, "vases", "analyst")]
    assert memberships == {"lamps": "owner"}
