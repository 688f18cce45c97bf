import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress

import pytest
import yaml
from prometheus_client import Counter

from common.clock import system_clock
from common.errors import Rejected
from common.ids import new_id
from common.metrics import REGISTRY
from common.settings import PORTS
from dashboards.prometheus import configuration
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.relay import BATCH, Relay
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from schemas.codec import NotEncodable
from tests.integration.commerce.conftest import SPARE
from tests.integration.servers import TEST_TIMEOUT_S
from tests.ports import free_offset

ADD = f"INSERT INTO {SPARE}.outbox (topic, headers) SELECT 'order_placed', '{{}}' FROM generate_series(1, $1)"
ADD_OLD = (
    f"INSERT INTO {SPARE}.outbox (topic, headers, committed_at) "
    "SELECT 'order_placed', '{}', clock_timestamp() - $2::float8 * interval '1 second' "
    "FROM generate_series(1, $1)"
)
OLD = 700


def test_the_events_of_one_product_are_in_kafka_in_the_order_of_their_commits(shop, eventually):
    lamp = shop.product(stock=None)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda on_hand: shop.set_stock(lamp, on_hand), range(1, 61)))

    eventually(lambda: len(shop.events("stock_changed", lamp)) == 60)
    assert [event["version"] for event in shop.events("stock_changed", lamp)] == list(range(1, 61))


def test_a_transaction_whose_event_can_not_be_encoded_is_rolled_back(shop):
    key = new_id()

    async def change_and_tell() -> None:
        async with make_pool(shop.settings, "orders", 1) as pool:
            transactions = Transactions(
                pool, EventWriter("orders", {"order_confirmed": 1}), system_clock, Notifier("orders")
            )
            async with transactions.begin(Trace(key)) as tx:
                await tx.sql.execute("INSERT INTO inbox (id, topic) VALUES ($1, 'test')", key)
                tx.emit("order_confirmed", order_id=key, shopper_id=None)

    with pytest.raises(NotEncodable):
        asyncio.run(change_and_tell())
    assert shop.sql("SELECT FROM orders.inbox WHERE id = $1", key) == []


@pytest.mark.parametrize(("fails", "counted"), [(False, 1), (True, 0)])
def test_a_transactions_counters_count_only_if_it_commits(shop, fails, counted):
    counter = Counter("things", "Test.", registry=None)

    async def count() -> None:
        async with make_pool(shop.settings, "orders", 1) as pool:
            transactions = Transactions(pool, EventWriter("orders", {}), system_clock, Notifier("orders"))
            async with transactions.begin(Trace("o1")) as tx:
                tx.count(counter)
                if fails:
                    raise Rejected("no")

    with pytest.raises(Rejected) if fails else nullcontext():
        asyncio.run(count())
    assert counter.collect()[0].samples[0].value == counted


def test_one_relay_of_a_service_leads(shop):
    async def lead() -> bool:
        async with make_pool(shop.settings, "orders", 1) as pool, pool.acquire() as sql:
            lock = "SELECT pg_try_advisory_lock(hashtextextended('relay of ' || current_schema(), 0))"
            return bool(await sql.fetchval(lock))

    assert asyncio.run(lead()) is False


def stuck_above_s() -> int:
    """The age of the oldest message above which the alert `OutboxStuck` fires."""
    groups = yaml.safe_load(configuration.rules())["groups"]
    (rule,) = (rule for group in groups for rule in group["rules"] if rule.get("alert") == "OutboxStuck")
    (threshold,) = re.findall(r"souk_outbox_age_seconds\S* > (\d+)", rule["expr"])
    return int(threshold)


def waiting() -> float | None:
    return REGISTRY.get_sample_value("souk_outbox_waiting", {"service": SPARE})


def oldest_s() -> float | None:
    return REGISTRY.get_sample_value("souk_outbox_age_seconds", {"service": SPARE})


@pytest.mark.parametrize("at_first", [3, BATCH])
def test_messages_that_wait_for_kafka_are_counted_and_trigger_an_alert(shop, books, at_first):
    no_kafka = f"127.0.0.1:{PORTS['kafka'] + free_offset()}"
    nowhere = books.model_copy(update={"kafka_bootstrap": no_kafka, "stop_timeout_s": 1.0})
    shop.sql(ADD, at_first)

    async def becomes(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while not condition():
                await asyncio.sleep(0.05)

    async def carry() -> None:
        relay = asyncio.create_task(Relay(nowhere, SPARE, Notifier(SPARE)).run())
        await becomes(lambda: waiting() == at_first)
        assert oldest_s() < stuck_above_s()
        await asyncio.to_thread(shop.sql, ADD_OLD, OLD, 60.0)
        await becomes(lambda: waiting() == at_first + OLD and oldest_s() > 60 > stuck_above_s())
        relay.cancel()
        with suppress(asyncio.CancelledError):
            await relay

    asyncio.run(carry())
    assert waiting() is oldest_s() is None  # another relay may lead now
