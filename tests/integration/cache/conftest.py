"""A real Redis for cache entries, and caches of several processes that share it."""

from collections.abc import Iterator

import pytest
from redis import Redis

from common.settings import Settings
from local.parts import redis as local_redis
from tests.integration.servers import Server, running
from tests.ports import free_offset


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(home=tmp_path_factory.mktemp("cache"), port_offset=free_offset())
    with running(local_redis.part(settings), settings) as server:
        yield server


@pytest.fixture
def redis(redis_server: Server) -> Iterator[Redis]:
    """A client of an empty Redis."""
    with Redis.from_url(redis_server.settings.redis) as client:
        client.flushall()
        yield client
