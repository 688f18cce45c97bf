import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import pytest

from common.clock import system_clock
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.errors import INVALID, TRANSIENT
from producers.kit.postgres.listen_notify import Listener, Notifier
from producers.kit.postgres.pool import make_pool

KILL = "SELECT pg_terminate_backend($1)"
Step = Callable[[Any], Coroutine[Any, Any, Any]]


async def lose_the_connection(shop: Any, sql: Any) -> None:
    """Close the connection as a restart of PostgreSQL does, and wait until the client has noticed it."""
    other = await asyncpg.connect(shop.settings.postgres)
    await other.execute(KILL, sql.get_server_pid())
    await other.close()
    while not sql.is_closed():
        await asyncio.sleep(0.01)


def in_transaction(shop: Any, step: Step) -> None:
    async def act() -> None:
        pool = make_pool(shop.settings, "orders", 1)
        transactions = Transactions(pool, EventWriter("orders", {}), system_clock, Notifier("orders"))
        async with pool, transactions.begin(Trace("t")) as tx:
            await step(tx.sql)

    asyncio.run(act())


def test_a_connection_that_is_lost_between_two_statements_is_tried_again(shop):
    async def step(sql: Any) -> None:
        await lose_the_connection(shop, sql)
        await sql.fetchval("SELECT 1")

    with pytest.raises(TRANSIENT):
        in_transaction(shop, step)


def test_so_is_one_that_listens(shop):
    async def act() -> None:
        async with Listener(shop.settings, "orders", "nothing") as listening:
            await lose_the_connection(shop, listening.connection)
            await listening.connection.fetchval("SELECT 1")

    with pytest.raises(TRANSIENT):
        asyncio.run(act())


def test_a_value_that_is_no_parameter_is_unfit_and_not_tried_for_ever(shop):
    with pytest.raises(INVALID):
        in_transaction(shop, lambda sql: sql.fetchval("SELECT $1::integer", 2**40))


def test_a_statement_that_is_called_wrongly_is_a_bug(shop):
    with pytest.raises(asyncpg.InterfaceError) as raised:
        in_transaction(shop, lambda sql: sql.fetchval("SELECT $1::integer"))
    assert not isinstance(raised.value, (*TRANSIENT, *INVALID))
