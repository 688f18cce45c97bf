"""The cache of two processes: each response is computed once, and nothing breaks while Redis is away."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import pytest
from redis import Redis

from common.job_versions import LIVE_FIELD, state_key
from serving.kit.cache import response_cache, store
from serving.kit.cache.completeness import mark_incomplete
from serving.kit.cache.response_cache import REFRESH_AFTER_MS, CacheContent, ResponseCache
from serving.kit.cache.watcher import ChangeLog
from serving.kit.live_versions import LiveVersions
from serving.kit.problems import UNKNOWN_PRODUCT, ClickHouseUnavailable
from serving.kit.redis_client import open_redis
from tests.integration.servers import TEST_TIMEOUT_S, Server

T = TypeVar("T")
Caches = tuple[ResponseCache, ResponseCache]
Test = Callable[[ResponseCache, ResponseCache], Awaitable[None]]


class Query:
    """A computation that takes a moment. It returns how often it was called."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self.incomplete = False
        self._takes_s = takes_s

    async def __call__(self) -> CacheContent:
        self.calls += 1
        await asyncio.sleep(self._takes_s)
        if self.error:
            raise self.error
        if self.incomplete:
            mark_incomplete()
        return CacheContent(str(self.calls).encode(), {"product:lamp"})


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the caches wait for a busy machine's Redis. A test of what they do without it undoes this."""
    for module, name in ((store, "TIMEOUT_S"), (response_cache, "TIMEOUT_S"), (response_cache, "WAIT_S")):
        monkeypatch.setattr(module, name, float(TEST_TIMEOUT_S))


def run(server: Server, test: Test) -> None:
    """Run a test with the caches of two processes."""

    async def main() -> None:
        async with AsyncExitStack() as opened:
            caches = []
            for _ in range(2):
                client = open_redis(server.settings)
                caches.append(ResponseCache(LiveVersions(client)))
                opened.push_async_callback(client.aclose)
                opened.push_async_callback(caches[-1].aclose)
            await test(*caches)

    asyncio.run(main())


async def asked(cache: ResponseCache, query: Query) -> bytes:
    return await cache.get("product", ("lamp",), query)


@pytest.fixture(autouse=True)
def changes(redis: Redis) -> ChangeLog:
    log = ChangeLog(redis)
    log.keep_watching("watcher", up_to_date=True)
    return log


def entries(redis: Redis) -> list[bytes]:
    return [key for key in redis.keys("cache:1:entry:*") if not key.endswith(b":lock")]


def test_a_stampede_of_a_hundred_requests_is_one_query(redis_server: Server) -> None:
    query = Query(takes_s=0.1)

    async def test(first: ResponseCache, second: ResponseCache) -> None:
        answers = await asyncio.gather(*(asked(cache, query) for cache in (first, second) * 50))
        assert set(answers) == {b"1"}

    run(redis_server, test)
    assert query.calls == 1


def test_an_event_drops_what_it_changes(redis_server: Server, changes: ChangeLog) -> None:
    query = Query()

    async def test(first: ResponseCache, second: ResponseCache) -> None:
        assert [await asked(first, query), await asked(second, query)] == [b"1", b"1"]
        changes.record({"product:lamp"})
        assert [await asked(first, query), await asked(second, query)] == [b"2", b"2"]

    run(redis_server, test)


def test_an_old_response_is_served_while_it_is_computed_again(redis_server: Server, redis: Redis) -> None:
    query = Query()

    async def test(first: ResponseCache, second: ResponseCache) -> None:
        await asked(first, query)
        (entry,) = entries(redis)
        redis.hincrby(entry.decode(), "stored_at", -REFRESH_AFTER_MS)
        assert await asked(second, query) == b"1"
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while await asked(first, query) != b"2":
                await asyncio.sleep(0.01)

    run(redis_server, test)
    assert query.calls == 2


def test_an_old_response_is_served_while_it_cannot_be_computed(redis_server: Server, redis: Redis) -> None:
    query = Query()

    async def test(first: ResponseCache, _second: ResponseCache) -> None:
        await asked(first, query)
        (entry,) = entries(redis)
        redis.hincrby(entry.decode(), "stored_at", -REFRESH_AFTER_MS)
        query.error = ClickHouseUnavailable("away")
        assert {await asked(first, query) for _ in range(20)} == {b"1"}

    run(redis_server, test)
    assert query.calls == 2  # the next attempt is made when the lock has expired


@pytest.mark.parametrize(
    "error", [UNKNOWN_PRODUCT(product_id="lamp"), ClickHouseUnavailable("away"), ValueError("bug")]
)
def test_errors_are_not_cached(redis_server: Server, redis: Redis, error: Exception) -> None:
    query = Query()
    query.error = error

    async def test(first: ResponseCache, second: ResponseCache) -> None:
        for cache in (first, second):
            with pytest.raises(type(error)):
                await asked(cache, query)
        query.error = None
        assert await asked(first, query) == b"3"

    run(redis_server, test)
    assert len(entries(redis)) == 1


def test_a_response_that_lacks_something_is_not_cached(redis_server: Server, redis: Redis) -> None:
    query = Query()
    query.incomplete = True

    async def test(first: ResponseCache, second: ResponseCache) -> None:
        assert [await asked(first, query), await asked(second, query)] == [b"1", b"2"]

    run(redis_server, test)
    assert entries(redis) == []


def test_a_request_that_is_cancelled_does_not_fail_the_others(redis_server: Server) -> None:
    query = Query(takes_s=0.1)

    async def test(first: ResponseCache, _second: ResponseCache) -> None:
        requests = [asyncio.create_task(asked(first, query)) for _ in range(2)]
        await asyncio.sleep(0)
        requests[0].cancel()
        assert await requests[1] == b"1"

    run(redis_server, test)


def test_another_version_of_a_job_has_other_responses(redis_server: Server, redis: Redis) -> None:
    query = Query()

    async def test(first: ResponseCache, second: ResponseCache) -> None:
        assert await asked(first, query) == b"1"
        redis.hset(state_key("recommendations"), LIVE_FIELD, "bb")
        assert await asked(second, query) == b"2"

    run(redis_server, test)


def test_a_response_that_was_computed_during_a_switch_is_not_cached(
    redis_server: Server, redis: Redis
) -> None:
    query = Query()

    async def test(first: ResponseCache, second: ResponseCache) -> None:
        async def switched() -> CacheContent:
            redis.hset(state_key("recommendations"), LIVE_FIELD, "bb")
            async with asyncio.timeout(TEST_TIMEOUT_S):
                while await first.versions.prefix("recommendations") != "bb:":
                    await asyncio.sleep(0.05)
            return await query()

        assert await first.get("product", ("lamp",), switched) == b"1"
        assert await asked(second, query) == b"2"

    run(redis_server, test)
    assert len(entries(redis)) == 1


def test_a_full_redis_still_answers(redis_server: Server, redis: Redis) -> None:
    query = Query()

    async def test(first: ResponseCache, _second: ResponseCache) -> None:
        assert [await asked(first, query), await asked(first, query)] == [b"1", b"2"]

    limit = redis.config_get("maxmemory")["maxmemory"]
    redis.config_set("maxmemory", 1)
    try:
        run(redis_server, test)
    finally:
        redis.config_set("maxmemory", limit)


def test_without_redis_each_request_computes_and_a_stampede_still_shares(redis_server: Server) -> None:
    query = Query(takes_s=0.05)

    async def test(first: ResponseCache, _second: ResponseCache) -> None:
        assert await asked(first, query) == b"1"
        assert set(await asyncio.gather(*(asked(first, query) for _ in range(100)))) == {b"2"}

    redis_server.kill()
    try:
        run(redis_server, test)
    finally:
        redis_server.start()


def test_a_redis_that_hangs_delays_one_request_in_a_while(
    redis_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    query = Query()

    async def test(first: ResponseCache, _second: ResponseCache) -> None:
        assert await asked(first, query) == b"1"
        async with asyncio.timeout(TEST_TIMEOUT_S / 4):
            assert [await asked(first, query) for _ in range(50)] == [b"%d" % n for n in range(2, 52)]

    redis_server.process.send_signal(19)  # SIGSTOP
    try:
        run(redis_server, test)
    finally:
        redis_server.process.send_signal(18)
