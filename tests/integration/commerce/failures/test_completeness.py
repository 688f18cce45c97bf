"""The reports of a relay about its service's outbox, with a real PostgreSQL and Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import pytest

from common.clock import from_millis, system_clock
from common.settings import Settings
from producers.kit.outbox.message import EventWriter, OutboxMessage
from producers.kit.outbox.relay import Relay
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from tests.integration.commerce.conftest import SPARE, Shop
from tests.integration.conftest import Kafka
from tests.integration.servers import TEST_TIMEOUT_S

WAITING_FOR_LOCK = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def reports(shop: Shop) -> Callable[[], list[datetime]]:
    """Return all reports of the spare service so far."""

    def read() -> list[datetime]:
        values = [
            json.loads(m.value()) for m in shop.messages("outbox_progress") if m.key() == SPARE.encode()
        ]
        return [from_millis(value["complete_until"]) for value in values]

    return read


async def becomes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TEST_TIMEOUT_S):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)


@asynccontextmanager
async def relaying(settings: Settings) -> AsyncIterator[Transactions]:
    """Transactions of a service whose relay runs during the block."""
    notifier = Notifier(SPARE)
    relay = asyncio.create_task(Relay(settings, SPARE, notifier).run())
    try:
        async with make_pool(settings, SPARE, 2) as pool:
            yield Transactions(pool, EventWriter(SPARE, {}), system_clock, notifier)
    finally:
        relay.cancel()
        with suppress(asyncio.CancelledError):
            await relay


def test_a_relay_reports_though_the_outbox_is_empty(
    books: Settings, reports: Callable[[], list[datetime]]
) -> None:
    began_at = system_clock()

    async def run() -> None:
        async with relaying(books):
            await becomes(lambda: max(reports(), default=began_at) > began_at)

    asyncio.run(run())


def test_no_report_goes_beyond_a_slow_transaction_before_its_event_is_in_kafka(
    books: Settings, kafka: Kafka, reports: Callable[[], list[datetime]]
) -> None:
    slow, quick = kafka.topic(), kafka.topic()

    async def run() -> datetime:
        async with relaying(books) as transactions:
            async with transactions.begin(Trace("slow")) as tx:
                tx.send(OutboxMessage(slow, b"k", b"slow", {}))
                before = len(await asyncio.to_thread(reports))
                async with transactions.begin(Trace("quick")) as other:
                    other.send(OutboxMessage(quick, b"k", b"quick", {}))
                await becomes(lambda: kafka.count(quick) == 1)
                await becomes(lambda: len(reports()) >= before + 4)
                assert max(await asyncio.to_thread(reports)) < tx.now
            await becomes(lambda: max(reports()) >= tx.now)
            return tx.now

    asyncio.run(run())
    assert kafka.count(slow) == 1


def test_a_relay_that_waits_for_the_lock_does_not_hold_back_the_reports_of_the_first(
    books: Settings, reports: Callable[[], list[datetime]]
) -> None:
    async def run() -> None:
        async with relaying(books), make_pool(books, SPARE, 1) as pool:
            began_at = system_clock()
            await becomes(lambda: max(reports(), default=began_at) > began_at)
            async with relaying(books):
                async with asyncio.timeout(TEST_TIMEOUT_S):
                    while not await pool.fetchval(WAITING_FOR_LOCK):
                        await asyncio.sleep(0.05)
                waits_since = system_clock()
                await becomes(lambda: max(reports()) > waits_since)

    asyncio.run(run())
