"""Queries of ClickHouse that every process of the API repeats, and one of them sends for all."""

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from serving.kit.clickhouse import ClickHouseQueries, Row, Value
from serving.kit.redis_client import run_redis

KEPT_SHARE = 0.9
"""Rows are kept for this share of the interval in which a process asks again, so that it gets new ones."""

READER_TIMEOUT_MS = 10_000
"""If the reading process stores no rows within this time, another one reads."""

_WAIT_S = 0.1


def whole_minute(moment: datetime) -> datetime:
    """Return the beginning of the minute in UTC, so that processes that ask in one minute ask the same."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


class SharedQueries:
    """Returns the rows of queries. The first process that asks stores them in Redis for the others."""

    def __init__(self, clickhouse: ClickHouseQueries, redis: Redis) -> None:
        self._clickhouse, self._redis = clickhouse, redis

    async def rows_of_all(self, every_s: float, *queries: tuple[str, dict[str, Value]]) -> list[list[Row]]:
        """Return the rows of each named query, at most `every_s` seconds old.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer.
            RedisUnavailable: Redis does not answer.
        """
        key = f"shared_rows:{sha256(orjson.dumps(queries)).hexdigest()[:16]}"
        while (stored := await run_redis(self._redis.get(key))) is None:
            if await run_redis(self._redis.set(f"{key}:reader", 1, nx=True, px=READER_TIMEOUT_MS)):
                return await self._read(key, every_s, queries)
            await asyncio.sleep(_WAIT_S)
        return cast(list[list[Row]], orjson.loads(stored))

    async def _read(self, key: str, every_s: float, queries: Any) -> list[list[Row]]:
        try:
            rows = await self._clickhouse.rows_of_all(*queries)
            await run_redis(self._redis.set(key, orjson.dumps(rows), px=int(1000 * KEPT_SHARE * every_s)))
        finally:
            await run_redis(self._redis.delete(f"{key}:reader"))
        return rows
