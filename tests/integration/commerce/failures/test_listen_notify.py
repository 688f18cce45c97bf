import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from statistics import median
from typing import Any

import asyncpg

from common.clock import system_clock
from common.errors import Rejected
from common.ids import new_id
from common.postgres_roles import role_name
from producers.kit.outbox.message import EventWriter, OutboxMessage
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Listener, Notifier
from producers.kit.postgres.pool import make_pool
from producers.services.payments.store import DUE, lock_payment, save_payment
from tests.integration.commerce.conftest import SPARE as SERVICE

CHANNEL = "work"
NEVER_S, SOON_S = 0.5, 10.0
IN_LINE = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'souk spare' AND wait_event_type = 'Lock' AND wait_event = 'object'
        AND clock_timestamp() - query_start > INTERVAL '50 milliseconds'
"""
"""Connections that wait so long for another one's NOTIFY that they must be waiting for its flush (0.1 s)."""


@asynccontextmanager
async def transactions_of(settings: Any, notifier: Notifier) -> AsyncIterator[Transactions]:
    async with make_pool(settings, SERVICE, 6) as pool:
        yield Transactions(pool, EventWriter(SERVICE, {}), system_clock, notifier)


async def is_woken(sleeper: Listener, action: Coroutine[Any, Any, None], within_s: float) -> bool:
    """Return whether `action` wakes a listener that was cleared before."""
    sleeper.clear()
    await action
    started = asyncio.get_running_loop().time()
    await sleeper.wait(within_s)
    return asyncio.get_running_loop().time() - started < within_s


async def commit(transactions: Transactions) -> None:
    async with transactions.begin(Trace("t")) as tx:
        tx.notify(CHANNEL)


async def roll_back(transactions: Transactions) -> None:
    with suppress(Rejected):
        async with transactions.begin(Trace("t")) as tx:
            tx.notify(CHANNEL)
            raise Rejected("no")


def test_a_commit_wakes_who_sleeps_in_another_process(books):
    async def woken() -> bool:
        async with (
            Notifier(SERVICE).listen(books, CHANNEL) as sleeper,
            transactions_of(books, Notifier(SERVICE)) as transactions,
        ):
            return await is_woken(sleeper, commit(transactions), SOON_S)

    assert asyncio.run(woken())


def test_a_transaction_that_is_rolled_back_wakes_nobody(books):
    async def woken() -> bool:
        async with (
            Notifier(SERVICE).listen(books, CHANNEL) as sleeper,
            transactions_of(books, Notifier(SERVICE)) as transactions,
        ):
            return await is_woken(sleeper, roll_back(transactions), NEVER_S)

    assert not asyncio.run(woken())


def test_a_commit_wakes_only_who_does_the_work_in_its_own_process(books):
    async def woken() -> tuple[bool, bool]:
        notifier = Notifier(SERVICE)
        async with (
            notifier.listen(books, CHANNEL) as here,
            Notifier(SERVICE).listen(books, CHANNEL) as elsewhere,
            transactions_of(books, notifier) as transactions,
        ):
            with notifier.local_listener(CHANNEL, here):
                here.clear()
                others = await is_woken(elsewhere, commit(transactions), NEVER_S)
                own = here.is_notified
            return own, others

    assert asyncio.run(woken()) == (True, False)


def test_a_commit_stands_though_nobody_can_be_woken(books):
    async def place() -> None:
        async with (
            transactions_of(books, Notifier(SERVICE)) as transactions,
            transactions.connection() as sql,
        ):
            sql.terminate()
            await transactions.notifier.notify(sql, [CHANNEL])

    asyncio.run(place())


def test_commits_with_messages_do_not_stand_in_line_for_each_others_flush(books):
    async def usually_in_line() -> float:
        async with transactions_of(books, Notifier(SERVICE)) as transactions:
            watcher = await asyncpg.connect(books.postgres)
            await watcher.execute(f"GRANT SET ON PARAMETER commit_delay TO {role_name(SERVICE)}")
            async with asyncio.TaskGroup() as group:
                commits = [group.create_task(commit_slowly(transactions)) for _ in range(6)]
                in_line = []
                while not all(each.done() for each in commits):
                    in_line.append(await watcher.fetchval(IN_LINE))
            await watcher.close()
            assert await count(transactions) == 6 * 4
            # The median: on a busy machine, a commit sometimes waits for one that the kernel has put aside.
            return median(in_line)

    assert asyncio.run(usually_in_line()) == 0


async def commit_slowly(transactions: Transactions) -> None:
    """Commit four times, with a delay of 0.1 s before each flush."""
    for _ in range(4):
        async with transactions.begin(Trace("t")) as tx:
            await tx.sql.execute("SET LOCAL commit_delay = 100000")
            await tx.sql.execute("SET LOCAL commit_siblings = 0")
            tx.send(OutboxMessage("nothing", None, b"value", {}))


async def count(transactions: Transactions) -> int:
    async with transactions.connection() as sql:
        found: int = await sql.fetchval("SELECT count(*) FROM outbox")
    return found


def test_a_payment_that_becomes_due_wakes_who_asks_for_it(shop):
    async def make_due(transactions: Transactions) -> None:
        async with transactions.begin(Trace("t")) as tx:
            payment = await lock_payment(tx, new_id())
            await save_payment(tx, replace(payment, state="voiding", amount_minor=1_000))

    async def woken() -> bool:
        notifier = Notifier("payments")
        async with (
            notifier.listen(shop.settings, DUE) as sleeper,
            make_pool(shop.settings, "payments", 1) as pool,
        ):
            transactions = Transactions(pool, EventWriter("payments", {}), system_clock, notifier)
            return await is_woken(sleeper, make_due(transactions), SOON_S)

    assert asyncio.run(woken())
