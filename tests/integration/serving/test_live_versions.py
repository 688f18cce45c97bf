"""Readers use the keys of a job's live version, and follow a switch."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from redis import Redis

from common.job_versions import LIVE_FIELD, state_key
from common.settings import Settings
from serving.kit import live_versions
from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import open_redis
from serving.recommendations.recommender import NeighbourCache
from tests.integration.servers import await_true
from tests.principals import bearer

OFFER = {
    "seller_id": "ana",
    "name": None,
    "category": None,
    "currency": "BRL",
    "price_minor": 900,
    "listed": 1,
}


@pytest.fixture
def redis(shop: Settings) -> Iterator["Redis[str]"]:
    """Two versions of each job: in the second one, other products are popular and similar."""
    with Redis.from_url(shop.redis, decode_responses=True) as client:
        for version, product in (("aa", "first"), ("bb", "second")):
            client.zadd(f"{version}:popular_products", {product: 1.0})
            client.zadd(f"{version}:similar:sofa", {product: 4.0})
            for each in ("sofa", product):
                client.hset(f"{version}:product:{each}", "offers", orjson.dumps([OFFER]))
        yield client
        client.delete(*client.scan_iter("aa:*"), *client.scan_iter("bb:*"))
        client.delete(state_key("rankings"), state_key("recommendations"))


def test_a_switch_changes_all_that_readers_see_within_seconds(shop: Settings, redis: "Redis[str]") -> None:
    with httpx.Client(base_url=shop.serving, trust_env=False, headers=bearer(shop)) as api:

        def ids(path: str, of: str) -> list[str]:
            return [each["product_id"] for each in api.get(path).raise_for_status().json()[of]]

        for version, product in (("aa", "first"), ("bb", "second"), ("aa", "first")):
            redis.hset(state_key("rankings"), LIVE_FIELD, version)
            redis.hset(state_key("recommendations"), LIVE_FIELD, version)

            await_true(
                lambda product=product: ids("/v1/products/popular", "products") == [product], "popular"
            )  # type: ignore[misc]
            await_true(
                lambda product=product: ids("/v1/products/sofa/similar", "items") == [product],  # type: ignore[misc]
                "similar products",
            )
            await_true(
                lambda product=product: ids("/v1/recommendations/nobody", "items") == [product],  # type: ignore[misc]
                "recommendations",
            )


def test_cached_neighbours_are_those_of_the_live_version(shop: Settings, redis: "Redis[str]") -> None:
    async def found() -> list[Any]:
        client = open_redis(shop)
        cache = NeighbourCache(client)
        neighbours = [
            list((await cache.of(["sofa"], prefix))["sofa"].neighbours) for prefix in ("aa:", "bb:", "aa:")
        ]
        await client.aclose()
        return [product for (product,) in neighbours]

    assert redis.exists("aa:similar:sofa")
    assert asyncio.run(found()) == ["first", "second", "first"]


def test_the_live_version_is_not_read_with_each_request(
    shop: Settings, redis: "Redis[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.hset(state_key("rankings"), LIVE_FIELD, "aa")

    async def prefixes() -> list[str]:
        client = open_redis(shop)
        versions, found = LiveVersions(client), []
        for max_age in (3_600.0, 3_600.0, -1.0):
            monkeypatch.setattr(live_versions, "MAX_AGE_S", max_age)
            found.append(await versions.prefix("rankings"))
            redis.hset(state_key("rankings"), LIVE_FIELD, "bb")
        await client.aclose()
        return found

    assert asyncio.run(prefixes()) == ["aa:", "aa:", "bb:"]
