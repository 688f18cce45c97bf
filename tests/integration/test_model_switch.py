"""Going back to the model before, in a real Redis, also while a training publishes another model."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from common.settings import Settings
from local.parts import redis as local_redis
from recommenders.training.publication import Publications
from schemas.published_model.keys import IN_USE, PREVIOUS, STATE, RollBack
from serving.recommendations.training_runs import (
    ModelNotKept,
    ServedVersions,
    read_served_versions,
    switch_back,
)
from tests.integration.servers import running

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


class PublishingMeanwhile(AsyncRedis):
    """A client before each of whose transactions a training publishes the version v3."""

    def pipeline(self, *arguments: Any, **options: Any) -> Any:
        pipeline: Any = super().pipeline(*arguments, **options)
        begin = pipeline.multi

        def multi() -> None:
            with Redis(**{name: self.get_connection_kwargs()[name] for name in ("host", "port")}) as other:
                Publications(other).switch("v3", "v2")
            begin()

        pipeline.multi = multi
        return pipeline


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Settings]:
    with running(local_redis.part(settings), settings):
        yield settings


@pytest.fixture
def redis(server: Settings) -> Iterator[Redis]:
    with Redis.from_url(server.redis) as client:
        client.flushdb()
        Publications(client).switch("v2", "v1")
        yield client


def back_to(server: Settings, version: str, client_type: type[AsyncRedis] = AsyncRedis) -> ServedVersions:
    async def switch() -> ServedVersions:
        client: Any = client_type.from_url(server.redis)
        async with client:
            await switch_back(client, RollBack(version, AT, "ana", "It sells less."))
            return await read_served_versions(client)

    return asyncio.run(switch())


def names(redis: Redis) -> list[bytes | None]:
    found: Any = redis.hmget(STATE, [IN_USE, PREVIOUS])
    return list(found)


def test_the_version_before_and_the_one_in_use_change_places(server: Settings, redis: Redis) -> None:
    found = back_to(server, "v1")

    assert (found.in_use, found.previous) == ("v1", "v2")
    assert found.rolled_back == RollBack("v1", AT, "ana", "It sells less.")
    assert names(redis) == [b"v1", b"v2"]


def test_a_publication_after_a_roll_back_ends_it(server: Settings, redis: Redis) -> None:
    back_to(server, "v1")
    Publications(redis).switch("v3", "v1")

    async def read() -> ServedVersions:
        async with AsyncRedis.from_url(server.redis) as client:
            return await read_served_versions(client)

    found = asyncio.run(read())
    assert (found.in_use, found.previous, found.rolled_back) == ("v3", "v1", None)


def test_a_training_that_publishes_meanwhile_is_not_undone(server: Settings, redis: Redis) -> None:
    """It has removed v1, so naming it would leave the shop without a model."""
    with pytest.raises(ModelNotKept):
        back_to(server, "v1", PublishingMeanwhile)

    assert names(redis) == [b"v3", b"v2"]
