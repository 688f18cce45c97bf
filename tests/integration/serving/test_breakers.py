"""ClickHouse and Redis are not called for a while after they failed too often."""

import asyncio
import warnings
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from common.settings import LOOPBACK, Settings
from serving.kit import redis_client
from serving.kit.circuit_breaker import BreakerState, CircuitBreaker
from serving.kit.clickhouse import ClickHouseQueries, QueryFailed
from serving.kit.problems import ClickHouseUnavailable, RedisUnavailable
from serving.kit.redis_client import open_redis, run_redis
from tests.integration.http_server import Say, answered, serving

SETTINGS = Settings(home=Path("/nowhere"))
NOBODY = f"{LOOPBACK}:1"


def clickhouse(url: str) -> ClickHouseQueries:
    return ClickHouseQueries(SETTINGS.model_copy(update={"clickhouse_url": url}), {"query": "SELECT 1"})


def error(code: int) -> Say:
    """Return a handler that answers with this error code of ClickHouse."""
    return answered("500 Internal Server Error", b"an error", f"X-ClickHouse-Exception-Code: {code}")


async def state_after(say: Say, raised: type[Exception]) -> BreakerState:
    """Send queries that fail, and return the state of the breaker then."""
    async with serving(say) as server, clickhouse(server.url) as queries:
        for _ in range(20):
            with pytest.raises(raised):
                await queries.rows("query")
        return queries.breaker.state


def test_a_clickhouse_that_is_away_is_tried_again_after_a_second() -> None:
    async def send() -> ClickHouseUnavailable:
        async with clickhouse(f"http://{NOBODY}") as queries:
            for _ in range(20):
                with pytest.raises(ClickHouseUnavailable, match="does not answer"):
                    await queries.rows("query")
            assert queries.breaker.state is BreakerState.OPEN
            with pytest.raises(ClickHouseUnavailable, match="tried again in 1 s") as raised:
                await queries.rows("query")
            return raised.value

    assert asyncio.run(send()).retry_after_s == 1


@pytest.mark.parametrize("code", [159, 202, 241])
def test_an_overloaded_clickhouse_gets_a_pause(code: int) -> None:
    assert asyncio.run(state_after(error(code), ClickHouseUnavailable)) is BreakerState.OPEN


@pytest.mark.parametrize(("code", "raised"), [(62, QueryFailed), (60, ClickHouseUnavailable)])
def test_a_clickhouse_that_refuses_a_query_works(code: int, raised: type[Exception]) -> None:
    assert asyncio.run(state_after(error(code), raised)) is BreakerState.CLOSED


def test_a_redis_that_is_away_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_client, "breaker", CircuitBreaker("redis", (RedisError, OSError)))

    async def send() -> RedisUnavailable:
        client = open_redis(SETTINGS.model_copy(update={"redis_url": f"redis://{NOBODY}"}))
        for _ in range(20):
            with pytest.raises(RedisUnavailable, match="does not answer \\("):
                await run_redis(client.get("key"))
        with pytest.raises(RedisUnavailable, match="tried again in 1 s") as raised:
            await run_redis(client.get("key"))
        with pytest.raises(RedisUnavailable):
            await run_redis(client.pipeline(transaction=False).get("key").execute())
        await client.aclose()
        return raised.value

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a command that was never awaited
        assert asyncio.run(send()).retry_after_s == 1
