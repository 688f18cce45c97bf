"""A Redis that accepts connections and does not respond."""

import asyncio
import os
import signal

import pytest
from redis import Redis

from common.settings import Settings
from serving.kit.problems import RedisUnavailable
from serving.kit.redis_client import open_redis, run_redis


def test_a_redis_that_does_not_answer_in_time_is_said_to_be_away_and_its_late_answer_is_nobodys(
    shop: Settings,
) -> None:
    with Redis.from_url(shop.redis) as redis:
        process = redis.info("server")["process_id"]

    async def ask() -> bytes:
        client = open_redis(shop)
        await run_redis(client.mset({"test:first": "1", "test:second": "2"}))
        os.kill(process, signal.SIGSTOP)
        try:
            with pytest.raises(RedisUnavailable, match="TimeoutError"):
                await run_redis(client.get("test:first"), timeout_s=0.2)
        finally:
            os.kill(process, signal.SIGCONT)
        second: bytes = await run_redis(client.get("test:second"))
        await run_redis(client.delete("test:first", "test:second"))
        await client.aclose()
        return second

    assert asyncio.run(ask()) == b"2"
