"""Measures what a product and a shopper take in Redis, with all keys full."""

from collections.abc import Iterator, Mapping
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import orjson
from redis import Redis

from common.settings import Settings
from jobs.recommendations.logic import MAX_SIMILAR
from serving.kit.product_cards import KEY

SAMPLE = 2_000
"""The number of products and of shoppers that are written, full, and removed again."""

PREFIX = "bench-footprint:"

Members = Mapping[str, int]

FULL: Members = {"recent": 20, "carted": 20, "bought": 200}
"""The largest number of products in each key of a shopper (docs/architecture.md)."""

BROWSER: Members = {"recent": 20, "carted": 3}
"""A shopper with many views, some additions to the cart and no purchase."""

BUYER: Members = {"recent": 20, "carted": 3, "bought": 10}

STORED_LIST = 24
"""The products of a list that is stored for a shopper: twice the 12 that are shown."""

_NOW_S = 1_795_000_000.0


def measure(settings: Settings) -> dict[str, float]:
    """Return the bytes of a product or shopper, with ids of 36 characters, in the Redis of these settings.

    They are the differences of `used_memory`, so the table of keys is part of them. What is written for it is
    removed.
    """
    with Redis.from_url(settings.redis) as redis:
        return {
            "product card": _bytes_of(redis, _cards()),
            "co-visits of a product": _bytes_of(redis, _sets({"similar": MAX_SIMILAR})),
            "shopper, all full": _bytes_of(redis, _sets(FULL)),
            "shopper who bought ten products": _bytes_of(redis, _sets(BUYER)),
            "shopper who bought nothing": _bytes_of(redis, _sets(BROWSER)),
            "stored list of a shopper": _bytes_of(redis, _stored_lists()),
        }


def _bytes_of(redis: Redis, commands: Iterator[list[tuple[Any, ...]]]) -> float:
    """Return the bytes that the commands of one product or shopper take, on average."""
    before = _used(redis)
    keys = []
    for _, batch in zip(range(SAMPLE), commands, strict=False):
        pipeline: Any = redis.pipeline(transaction=False)
        for command in batch:
            pipeline.execute_command(*command)
            keys.append(command[1])
        pipeline.execute()
    taken = _used(redis) - before
    for start in range(0, len(keys), 500):
        redis.delete(*keys[start : start + 500])
    return round(taken / SAMPLE, 1)


def _used(redis: Redis) -> int:
    info: Any = redis.info("memory")
    # The replication backlog and the buffers of clients and of the file that is written don't belong to keys.
    return int(info["used_memory"]) - int(info.get("used_memory_overhead", 0)) + _tables(redis)


def _tables(redis: Redis) -> int:
    """Return the bytes of the tables of keys and of their expiry, which count as overhead."""
    stats: Any = redis.memory_stats()
    return sum(
        int(entry.get("overhead.hashtable.main", 0)) + int(entry.get("overhead.hashtable.expires", 0))
        for name, entry in stats.items()
        if str(name).startswith("db.") and isinstance(entry, dict)
    )


def _ids(seed: int) -> Iterator[str]:
    random = Random(seed)
    while True:
        yield str(UUID(int=random.getrandbits(128)))


def _sets(members: Members) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the commands that write the sorted sets of one product or shopper, as the job does."""
    ids, random = _ids(1), Random(2)
    while True:
        owner = next(ids)
        batch: list[tuple[Any, ...]] = []
        for kind, length in members.items():
            key = f"{PREFIX}{kind}:{owner}"
            for _ in range(length):
                score = random.random() * 100 if kind == "similar" else _NOW_S + random.randrange(10**6)
                batch.append(("ZADD", key, score, next(ids)))
            batch.append(("EXPIRE", key, 2_592_000))
        yield batch


def _cards() -> Iterator[list[tuple[Any, ...]]]:
    """Yield the commands that write the card of one product with one offer."""
    ids = _ids(3)
    for number in count():
        offer = {
            "listed": 1, "seller_id": next(ids), "name": f"Desk lamp with a shade, model {number}",
            "category": "home_lighting", "currency": "BRL", "price_minor": 12_990,
            "attributes": {"brand": "casaviva", "colour": "blue", "material": "wood", "room": "living_room"},
        }  # fmt: skip
        stock = orjson.dumps({offer["seller_id"]: 17})
        key = PREFIX + KEY.format(next(ids))
        yield [("HSET", key, "offers", orjson.dumps([offer]), "stock", stock, "interest", "12345.678901",
                "visits", "321")]  # fmt: skip


def _stored_lists() -> Iterator[list[tuple[Any, ...]]]:
    """Yield the commands that store the list of one shopper: products, scores and reasons."""
    ids = _ids(4)
    while True:
        listed = [(next(ids), 0.123456, "similar", next(ids)) for _ in range(STORED_LIST)]
        yield [("SET", f"{PREFIX}list:{next(ids)}", orjson.dumps(listed), "EX", 2_592_000)]
