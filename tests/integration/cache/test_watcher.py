"""Events in a real Kafka drop cached responses; while Kafka is away, responses are cached for seconds."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from redis import Redis

from common.settings import Settings
from serving.kit.cache.keys import WATCHED, WATCHER, entry_key
from serving.kit.cache.store import CacheStore
from serving.kit.cache.watcher import DROPPED_BY, MAX_TAGS, CacheWatcher, ChangeLog
from serving.kit.problems import RedisUnavailable
from serving.kit.redis_client import open_redis
from tests.integration.conftest import Kafka
from tests.integration.servers import TEST_TIMEOUT_S, Server, await_true

DEADLINE_S = TEST_TIMEOUT_S / 20
"""An event drops a response within about .3 s on an idle machine."""


@pytest.fixture(scope="module", autouse=True)
def topics(kafka: Kafka) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    missing = DROPPED_BY.keys() - admin.list_topics(timeout=30).topics.keys()
    new = [NewTopic(name, 2, 1) for name in sorted(missing)]
    for made in admin.create_topics(new).values() if new else ():
        made.result()


@pytest.fixture
def settings_of_both(redis_server: Server, kafka: Kafka) -> Settings:
    own = redis_server.settings
    return own.model_copy(update={"redis_url": own.redis, "kafka_bootstrap": kafka.bootstrap})


@pytest.fixture
def start(settings_of_both: Settings) -> Iterator[Callable[[], CacheWatcher]]:
    """Starts a watcher, as each process that serves does."""
    started = []

    def start_watcher() -> CacheWatcher:
        watcher = CacheWatcher(settings_of_both)
        started.append(watcher)
        watcher.start()
        return watcher

    yield start_watcher
    for watcher in started:
        watcher.stop()


def store(settings: Settings, *tags: str) -> None:
    """Store an entry with these tags."""

    async def main() -> None:
        client = open_redis(settings)
        entries = CacheStore(client)
        for tag in tags:
            entry = entry_key("products", (tag,))
            assert await entries.store(entry, await entries.begin(entry, 10_000), tag.encode(), (tag,))
        await client.aclose()

    asyncio.run(main())


def left(settings: Settings, *tags: str) -> list[str]:
    """Return the tags whose entries may still be used."""

    async def main() -> list[str]:
        client = open_redis(settings)
        entries = CacheStore(client)
        readings = [await entries.begin(entry_key("products", (tag,)), 10_000) for tag in tags]
        await client.aclose()
        return [tag for tag, reading in zip(tags, readings, strict=True) if reading.content is not None]

    return asyncio.run(main())


def send(kafka: Kafka, topic: str, *keys: str) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "queue.buffering.max.messages": 200_000})
    for key in keys:
        producer.produce(topic, b"", key)
    assert producer.flush(60) == 0


def await_watched(redis: Redis) -> None:
    await_true(lambda: redis.exists(WATCHED), "a watcher that is up to date")


def stored_while_watched(redis: Redis, settings: Settings, *tags: str) -> bool:
    """Store entries, and return whether a watcher was up to date all the time. Otherwise they end soon.

    On a busy machine, Redis may answer too late; then not all entries are stored.
    """
    await_watched(redis)
    for tag in tags:
        redis.delete(entry_key("products", (tag,)))
    try:
        store(settings, *tags)
    except RedisUnavailable:
        return False
    return bool(redis.exists(WATCHED))


@pytest.mark.parametrize(
    ("event", "dropped"),
    [
        ("product_listed", ["product:lamp", "catalogue"]),
        ("product_changed", ["product:lamp", "catalogue"]),
        ("product_delisted", ["product:lamp", "catalogue"]),
        ("stock_changed", ["product:lamp"]),
        ("seller_registered", ["seller:lamp"]),
        ("order_confirmed", ["popular_products"]),
    ],
)
def test_an_event_drops_what_it_changes_and_nothing_else(
    start: Callable[[], CacheWatcher],
    settings_of_both: Settings,
    kafka: Kafka,
    redis: Redis,
    event: str,
    dropped: list[str],
) -> None:
    tags = ("product:lamp", "product:desk", "seller:lamp", "catalogue", "popular_products")
    start()

    def only_these_are_dropped() -> bool:
        await_true(lambda: stored_while_watched(redis, settings_of_both, *tags), "entries")
        send(kafka, event, "lamp")
        await_true(lambda: not left(settings_of_both, *dropped), "the drop")
        return left(settings_of_both, *tags) == [tag for tag in tags if tag not in dropped]

    # A watcher that lost Kafka for a moment drops everything once, so a busy machine may need another try.
    await_true(only_these_are_dropped, "a drop of these entries alone")


@pytest.mark.parametrize("listings", [25_000, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_a_replay_of_many_listings_drops_everything_and_does_not_lag(
    start: Callable[[], CacheWatcher], settings_of_both: Settings, kafka: Kafka, redis: Redis, listings: int
) -> None:
    start()
    await_watched(redis)
    store(settings_of_both, "popular_products")

    send(kafka, "product_listed", *(f"replayed-{number}" for number in range(listings)))
    await_true(lambda: not left(settings_of_both, "popular_products"), "the drop of everything")
    redis.delete(WATCHED)
    await_watched(redis)  # it has read all listings

    assert len(redis.keys("cache:1:tag:*")) <= 20 * MAX_TAGS


def test_only_one_process_watches_and_another_takes_over(
    start: Callable[[], CacheWatcher], settings_of_both: Settings, kafka: Kafka, redis: Redis
) -> None:
    first = start()
    await_watched(redis)
    watching = redis.get(WATCHER)
    start()
    await_true(lambda: stored_while_watched(redis, settings_of_both, "product:lamp"), "the entry")
    first.stop()
    await_true(lambda: redis.get(WATCHER) not in (None, watching), "another watcher")
    await_watched(redis)

    assert left(settings_of_both, "product:lamp") == []  # events may have been missed
    await_true(lambda: stored_while_watched(redis, settings_of_both, "product:lamp"), "the entry")
    send(kafka, "stock_changed", "lamp")
    await_true(lambda: not left(settings_of_both, "product:lamp"), "the drop")


@pytest.mark.nightly
def test_without_kafka_nothing_is_watched_and_afterwards_it_is_again(
    start: Callable[[], CacheWatcher], kafka: Kafka, redis: Redis
) -> None:
    start()
    await_watched(redis)
    kafka.kill()
    try:
        await_true(lambda: not redis.exists(WATCHED), "the watcher's notice")
    finally:
        kafka.start()
    await_watched(redis)


def test_a_watcher_survives_a_restart_of_redis(
    start: Callable[[], CacheWatcher], redis_server: Server, redis: Redis
) -> None:
    start()
    await_watched(redis)
    redis_server.kill()
    redis_server.start()
    ChangeLog(redis).drop_everything()
    redis.delete(WATCHED)
    await_watched(redis)
