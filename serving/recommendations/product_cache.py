"""Caches what is read from Redis about single products or categories, for all requests of a process."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any, Generic, NamedTuple, TypeVar

from redis.asyncio import Redis

from serving.kit.newest_entries import put_newest
from serving.kit.product_cards import KEY, ProductCardLoader
from serving.kit.redis_client import run_redis
from serving.recommendations.likeness import ProductContent, content_of
from serving.recommendations.scoring import covisit_unit

Value = TypeVar("Value")


class CacheEntry(NamedTuple, Generic[Value]):
    """The value of a product, and when it was read (monotonic clock)."""

    value: Value
    read_at: float


class ProductCache(ABC, Generic[Value]):
    """The values of at most `max_entries` keys, each at most `ttl_s` old, of one version in Redis."""

    ttl_s: float
    max_entries: int

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._prefix = ""
        self._entries: dict[str, CacheEntry[Value]] = {}

    @abstractmethod
    async def _read(self, product_ids: Sequence[str], prefix: str) -> dict[str, Value]:
        """Return the value of each of these products from Redis.

        Raises:
            RedisUnavailable: Redis does not answer.
        """

    async def of(self, product_ids: Iterable[str], prefix: str) -> dict[str, Value]:
        """Return product → value; those that are missing or too old are read from Redis.

        `prefix` is that of the live version of job `recommendations`. Another version has other values.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        now = monotonic()
        if prefix != self._prefix:
            self._prefix, self._entries = prefix, {}
        wanted = list(product_ids)
        found = {
            each: entry.value
            for each in wanted
            if (entry := self._entries.get(each)) and now - entry.read_at <= self.ttl_s
        }
        missing = [each for each in wanted if each not in found]
        if not missing:
            return found
        read = await self._read(missing, prefix)
        if prefix == self._prefix:  # unless another request has meanwhile seen a switch
            for product_id, value in read.items():
                put_newest(self._entries, product_id, CacheEntry(value, now), self.max_entries)
        return found | read


class InterestCache(ProductCache[float]):
    """Reads the field `interest` of `product:{product_id}` from Redis: visits, decayed to the newest event.

    A product without interest has 0.
    """

    ttl_s = 300.0
    """Interest decays over weeks, and a discount needs its magnitude only."""

    max_entries = 32_768
    """Some 10 MB."""

    async def _read(self, product_ids: Sequence[str], prefix: str) -> dict[str, float]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        pipeline.hget(f"{prefix}recommendations_as_of", "product_viewed")
        for product_id in product_ids:
            pipeline.hget(prefix + KEY.format(product_id), "interest")
        as_of, *replies = await run_redis(pipeline.execute())
        visits = 1.0 / covisit_unit(float(as_of)) if as_of else 0.0
        return {each: visits * float(reply or 0.0) for each, reply in zip(product_ids, replies, strict=True)}


class ProductContents(ProductCache[ProductContent | None]):
    """Reads what the cards of products say of them from Redis; None for a product that was never listed."""

    ttl_s = 30.0
    """Listings seldom change."""

    max_entries = 16_384
    """Some 10 MB."""

    async def _read(self, product_ids: Sequence[str], prefix: str) -> dict[str, ProductContent | None]:
        cards = await ProductCardLoader(self._redis, prefix).read(product_ids)
        return {each: content_of(cards[each]) if each in cards else None for each in product_ids}
