"""The neighbours of a product, from Redis and from the cache."""

import asyncio
from collections.abc import Iterator
from math import sqrt

import pytest
from redis import Redis

from common.settings import Settings
from serving.kit.redis_client import open_redis
from serving.recommendations.recommender import NEIGHBOURS, NeighbourCache


@pytest.fixture
def redis(shop: Settings) -> Iterator["Redis[str]"]:
    """A sofa with forty similar cushions; the interest in the most similar one is unknown."""
    with Redis.from_url(shop.redis, decode_responses=True) as client:
        client.hset("product:sofa", "interest", 100.0)
        client.zadd("similar:sofa", {f"cushion-{number:02}": 40.0 - number for number in range(40)})
        for number in range(1, 40):
            client.hset(f"product:cushion-{number:02}", "interest", 50.0)
        yield client
        client.delete("product:sofa", "similar:sofa", "similar:stool")
        client.delete(*(f"product:cushion-{number:02}" for number in range(40)))


async def asked(settings: Settings, *times: list[str]) -> list[dict[str, list[tuple[str, float]]]]:
    client = open_redis(settings)
    kept = NeighbourCache(client)
    answers = [
        {each: list(found.neighbours.items()) for each, found in (await kept.of(one, "")).items()}
        for one in times
    ]
    await client.aclose()
    return answers


def test_the_best_neighbours_come_with_their_cosines(shop: Settings, redis: "Redis[str]") -> None:
    [found] = asyncio.run(asked(shop, ["sofa", "nobody"]))

    assert found["nobody"] == []
    assert len(found["sofa"]) == NEIGHBOURS
    first, second, *_ = found["sofa"]
    assert first == ("cushion-00", pytest.approx(sqrt(40 / 100)))  # its interest is unknown
    assert second == ("cushion-01", pytest.approx(39 / sqrt(100 * 50)))
    assert redis.zscore("similar:sofa", "cushion-01") == 39.0


def test_they_are_read_again_once_they_are_old(
    shop: Settings, redis: "Redis[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def changed() -> list[int]:
        client = open_redis(shop)
        kept, lengths = NeighbourCache(client), []
        for old in (False, False, True):
            monkeypatch.setattr(NeighbourCache, "ttl_s", -1.0 if old else 3_600.0)
            lengths.append(len((await kept.of(["sofa"], ""))["sofa"].neighbours))
            redis.zremrangebyrank("similar:sofa", 0, 19)
        await client.aclose()
        return lengths

    assert asyncio.run(changed()) == [NEIGHBOURS, NEIGHBOURS, 0]


def test_no_more_are_kept_than_there_is_room_for(
    shop: Settings, redis: "Redis[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NeighbourCache, "max_entries", 1)
    redis.zadd("similar:stool", {"sofa": 1.0})

    async def lengths() -> list[int]:
        client = open_redis(shop)
        kept = NeighbourCache(client)
        await kept.of(["sofa", "stool"], "")  # the sofa's neighbours were read first and are evicted
        redis.delete("similar:sofa", "similar:stool")
        found = [len((await kept.of([each], ""))[each].neighbours) for each in ("stool", "sofa")]
        await client.aclose()
        return found

    assert asyncio.run(lengths()) == [1, 0]
