"""The clients of ClickHouse and Redis, and what is computed from them for every domain."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from redis.asyncio import Redis

from common.settings import Settings
from serving.kit.cache.last_answers import LastAnswers
from serving.kit.cache.response_cache import ResponseCache
from serving.kit.cache.watcher import CacheWatcher
from serving.kit.clickhouse import ClickHouseQueries
from serving.kit.domain import part_of, running
from serving.kit.live_versions import LiveVersions
from serving.kit.names import Names
from serving.kit.redis_client import open_redis
from serving.kit.watermarks import WatermarkCache


@dataclass(frozen=True, slots=True)
class Stores:
    """The clients of a process, and the caches over them."""

    clickhouse: ClickHouseQueries
    redis: Redis
    versions: LiveVersions
    names: Names
    watermarks: WatermarkCache
    last_answers: LastAnswers
    responses: ResponseCache


NamesDep = Annotated[Names, Depends(part_of(Stores, lambda domain: domain.names))]


@asynccontextmanager
async def open_stores(
    settings: Settings, queries: Mapping[str, str], figures_version: str
) -> AsyncIterator[Stores]:
    """Open the clients, and follow the events that change cached responses.

    `queries` are those of the folder by name; `figures_version` is that of the last answers.
    """
    async with (
        ClickHouseQueries(settings, queries) as clickhouse,
        aclosing(open_redis(settings)) as redis,
        aclosing(WatermarkCache(clickhouse)) as watermarks,
        aclosing(LastAnswers(redis, figures_version)) as last_answers,
        aclosing(ResponseCache(LiveVersions(redis))) as responses,
        running(CacheWatcher(settings)),
    ):
        versions, names = responses.versions, Names(clickhouse, responses.versions)
        yield Stores(clickhouse, redis, versions, names, watermarks, last_answers, responses)
