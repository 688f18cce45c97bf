"""Entries in a real Redis: changes drop them, their age and size are bounded, one process computes each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from redis import Redis

from serving.kit.cache import store as store_module
from serving.kit.cache.keys import BYTES, INDEX, SIZES, entry_key, lock_key
from serving.kit.cache.store import (
    MAX_AGE_MS,
    MAX_AGE_SETTLING_MS,
    MAX_AGE_UNWATCHED_MS,
    MAX_CONTENT_BYTES,
    SETTLING_MS,
    CacheReading,
    CacheStore,
)
from serving.kit.cache.watcher import MAX_TAGS, ChangeLog
from serving.kit.redis_client import open_redis
from tests.integration.servers import Server

T = TypeVar("T")
ENTRY = entry_key("products", ("lamp",))
REFRESH_AFTER_MS = 10_000

Run = Callable[[Callable[[CacheStore], Awaitable[T]]], T]


@pytest.fixture
def run(redis_server: Server) -> Run[T]:
    """Runs a function with a store."""

    def run_with_store(test: Callable[[CacheStore], Awaitable[T]]) -> T:
        async def main() -> T:
            client = open_redis(redis_server.settings)
            try:
                return await test(CacheStore(client))
            finally:
                await client.aclose()

        return asyncio.run(main())

    return run_with_store


@pytest.fixture
def changes(redis: Redis) -> ChangeLog:
    """The log of changes, with a watcher that is up to date."""
    log = ChangeLog(redis)
    assert log.keep_watching("watcher", up_to_date=True)
    return log


async def begin(store: CacheStore, entry: str = ENTRY) -> CacheReading:
    return await store.begin(entry, REFRESH_AFTER_MS)


async def fill(store: CacheStore, *tags: str, entry: str = ENTRY, content: bytes = b"lamp") -> bool:
    return await store.store(entry, await begin(store, entry), content, tags)


def age(redis: Redis, milliseconds: int) -> None:
    """Make the entry older."""
    redis.hincrby(ENTRY, "stored_at", -milliseconds)


@pytest.mark.usefixtures("changes")
def test_what_is_stored_is_read_and_deleted_after_a_minute(run: Run[CacheReading], redis: Redis) -> None:
    async def test(store: CacheStore) -> CacheReading:
        assert await fill(store, "catalogue", content=b"\x00\xffbytes")
        return await begin(store)

    reading = run(test)
    assert (reading.content, reading.old, reading.has_lock) == (b"\x00\xffbytes", False, False)
    assert MAX_AGE_MS - 5_000 < redis.pttl(ENTRY) <= MAX_AGE_MS


@pytest.mark.parametrize(("changed", "left"), [("product:lamp", None), ("product:desk", b"lamp")])
def test_a_change_drops_the_entries_with_its_tag(
    run: Run[bytes | None], changes: ChangeLog, changed: str, left: bytes | None
) -> None:
    async def test(store: CacheStore) -> bytes | None:
        await fill(store, "catalogue", "product:lamp")
        changes.record({changed})
        return (await begin(store)).content

    assert run(test) == left


def test_many_changes_at_once_drop_everything(run: Run[bytes | None], changes: ChangeLog) -> None:
    async def test(store: CacheStore) -> bytes | None:
        await fill(store, "catalogue")
        changes.record({f"product:{number}" for number in range(MAX_TAGS + 1)})
        return (await begin(store)).content

    assert run(test) is None


@pytest.mark.parametrize("tags", [{"product:lamp"}, set[str]()])
def test_what_changed_while_it_was_computed_is_not_stored(
    run: Run[bool], changes: ChangeLog, tags: set[str]
) -> None:
    async def test(store: CacheStore) -> bool:
        reading = await begin(store)
        changes.record(tags) if tags else changes.drop_everything()
        stored = await store.store(ENTRY, reading, b"lamp", {"product:lamp"})
        assert (await begin(store)).has_lock  # the lock was returned
        return stored

    assert run(test) is False


def test_what_changed_a_moment_ago_is_stored_for_a_moment(
    run: Run[bool], changes: ChangeLog, redis: Redis
) -> None:
    changes.record({"product:lamp"})
    assert run(lambda store: fill(store, "product:lamp"))
    assert 0 < redis.pttl(ENTRY) <= MAX_AGE_SETTLING_MS


def test_a_tag_outlives_every_entry_that_it_may_drop(changes: ChangeLog, redis: Redis) -> None:
    changes.record({"product:lamp"})
    assert redis.pttl("cache:1:tag:product:lamp") > MAX_AGE_MS + SETTLING_MS - 5_000


def test_without_a_watcher_an_entry_is_used_for_seconds(run: Run[bool], redis: Redis) -> None:
    async def test(store: CacheStore) -> bool:
        await fill(store, "catalogue")
        fresh = (await begin(store)).content
        age(redis, MAX_AGE_UNWATCHED_MS)
        return fresh == b"lamp" and (await begin(store)).content is None

    assert run(test)


@pytest.mark.usefixtures("changes")
def test_an_old_entry_is_refreshed_by_one_reader(run: Run[list[CacheReading]], redis: Redis) -> None:
    async def test(store: CacheStore) -> list[CacheReading]:
        await fill(store, "catalogue")
        age(redis, REFRESH_AFTER_MS)
        return [await begin(store) for _ in range(3)]

    readings = run(test)
    assert [(each.content, each.old) for each in readings] == [(b"lamp", True)] * 3
    assert [each.has_lock for each in readings] == [True, False, False]


@pytest.mark.usefixtures("changes")
def test_one_reader_computes_a_missing_entry_until_its_lock_expires(
    run: Run[list[bool]], redis: Redis
) -> None:
    async def test(store: CacheStore) -> list[bool]:
        first, second = await begin(store), await begin(store)
        redis.delete(lock_key(ENTRY))  # it expired
        third = await begin(store)
        await store.release(ENTRY, first)  # too late: the lock is the third reader's
        return [each.has_lock for each in (first, second, third, await begin(store))]

    assert run(test) == [True, False, True, False]


@pytest.mark.usefixtures("changes")
def test_a_large_response_is_not_stored(run: Run[bool]) -> None:
    async def test(store: CacheStore) -> bool:
        stored = await fill(store, content=b"x" * (MAX_CONTENT_BYTES + 1))
        assert (await begin(store)).has_lock
        return stored

    assert run(test) is False


@pytest.mark.usefixtures("changes")
def test_all_entries_together_have_a_largest_size(
    run: Run[list[int]], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MAX_BYTES", 10_000)
    entries = [entry_key("products", (number,)) for number in range(30)]

    async def test(store: CacheStore) -> list[int]:
        for entry in entries:
            assert await fill(store, "catalogue", entry=entry, content=b"x" * 990)
        return [place for place, entry in enumerate(entries) if (await begin(store, entry)).content]

    left = run(test)
    assert not set(left) & set(range(15))  # those that expire next were deleted
    assert set(left) >= set(range(25, 30))
    sizes = [int(size) for size in redis.hvals(SIZES)]
    assert int(redis.get(BYTES) or 0) == sum(sizes) <= 10_000
    assert redis.zcard(INDEX) == len(sizes) == len(left)


@pytest.mark.usefixtures("changes")
def test_replaced_and_expired_entries_do_not_count(run: Run[None], redis: Redis) -> None:
    async def test(store: CacheStore) -> None:
        for _ in range(5):
            await store.store(ENTRY, await begin(store), b"x" * 100, ())
        redis.zadd(INDEX, {ENTRY: 1})  # it expired
        redis.delete(ENTRY)
        await fill(store, entry=entry_key("products", ("desk",)), content=b"desk")

    run(test)
    assert int(redis.get(BYTES) or 0) == len(b"[]desk")


def test_one_process_watches(changes: ChangeLog, redis: Redis) -> None:
    assert not changes.keep_watching("another", up_to_date=False)
    assert changes.keep_watching("watcher", up_to_date=False)
    redis.delete("cache:1:watcher")  # it expired
    assert changes.keep_watching("another", up_to_date=False)
