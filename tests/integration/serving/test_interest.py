"""How popular products are, from Redis and from the cache."""

import asyncio
from collections.abc import Iterator

import pytest
from redis import Redis

from common.settings import Settings
from serving.kit.redis_client import open_redis
from serving.recommendations.product_cache import InterestCache
from serving.recommendations.scoring import COVISIT_HALF_LIFE_S, covisit_unit

PREFIX = "test-of-interest:"
NEWEST_S = 1_800_000_000


@pytest.fixture
def redis(shop: Settings) -> Iterator["Redis[str]"]:
    """A sofa with eight visits just now, and a lamp with eight visits two half-lives ago."""
    with Redis.from_url(shop.redis, decode_responses=True) as client:
        client.hset(f"{PREFIX}recommendations_as_of", "product_viewed", NEWEST_S)
        client.hset(f"{PREFIX}product:sofa", "interest", 8 * covisit_unit(NEWEST_S))
        client.hset(f"{PREFIX}product:lamp", "interest", 8 * covisit_unit(NEWEST_S - 2 * COVISIT_HALF_LIFE_S))
        yield client
        client.delete(*client.keys(f"{PREFIX}*"))


@pytest.mark.usefixtures("redis")
def test_the_interest_in_a_product_is_its_visits_decayed_to_the_newest_event(shop: Settings) -> None:
    async def found() -> dict[str, float]:
        client = open_redis(shop)
        read = await InterestCache(client).of(["sofa", "lamp", "new"], PREFIX)
        await client.aclose()
        return read

    assert asyncio.run(found()) == {"sofa": pytest.approx(8), "lamp": pytest.approx(2), "new": 0.0}


def test_it_is_read_again_once_it_is_old_or_of_another_version(
    shop: Settings, redis: "Redis[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def changed() -> list[float]:
        client = open_redis(shop)
        cache, found = InterestCache(client), []
        for prefix, ttl_s in ((PREFIX, 3_600.0), (PREFIX, 3_600.0), (PREFIX, -1.0), ("other:", 3_600.0)):
            monkeypatch.setattr(InterestCache, "ttl_s", ttl_s)
            found.append((await cache.of(["sofa"], prefix))["sofa"])
            redis.hset(f"{PREFIX}product:sofa", "interest", 4 * covisit_unit(NEWEST_S))
        await client.aclose()
        return found

    assert asyncio.run(changed()) == [pytest.approx(8), pytest.approx(8), pytest.approx(4), 0.0]


def test_no_more_are_kept_than_there_is_room_for(
    shop: Settings, redis: "Redis[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InterestCache, "max_entries", 1)

    async def found() -> dict[str, float]:
        client = open_redis(shop)
        cache = InterestCache(client)
        await cache.of(["sofa", "lamp"], PREFIX)  # the sofa was read first and is evicted
        redis.delete(f"{PREFIX}product:sofa", f"{PREFIX}product:lamp")
        read = await cache.of(["sofa", "lamp"], PREFIX)
        await client.aclose()
        return read

    assert asyncio.run(found()) == {"sofa": 0.0, "lamp": pytest.approx(2)}
