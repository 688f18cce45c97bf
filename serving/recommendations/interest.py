"""Reads and caches how popular products are: the interest that job `recommendations` counts."""

from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any

from redis.asyncio import Redis

from serving.catalogue.cards import KEY
from serving.recommendations.scoring import covisit_unit
from serving.redis_client import run_redis

CACHE_TTL_S = 300.0
"""How long an interest is cached. It decays over weeks, and a discount needs its magnitude only."""

MAX_ENTRIES = 32_768
"""The number of products whose interest is cached: some 10 MB."""


class InterestCache:
    """Reads the field `interest` of `product:{product_id}` from Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._prefix = ""
        self._entries: dict[str, tuple[float, float]] = {}

    async def of(self, product_ids: Iterable[str], prefix: str) -> dict[str, float]:
        """Return product → its number of visits, decayed to the newest event, at most `CACHE_TTL_S` old.

        `prefix` is that of the live version of job `recommendations`. A product without interest has 0.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        now = monotonic()
        if prefix != self._prefix:
            self._prefix, self._entries = prefix, {}
        wanted = list(product_ids)
        found = {
            each: entry[0]
            for each in wanted
            if (entry := self._entries.get(each)) and now - entry[1] <= CACHE_TTL_S
        }
        missing = [each for each in wanted if each not in found]
        return found | await self._read(missing, prefix, now) if missing else found

    async def _read(self, product_ids: Sequence[str], prefix: str, now: float) -> dict[str, float]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        pipeline.hget(f"{prefix}recommendations_as_of", "product_viewed")
        for product_id in product_ids:
            pipeline.hget(prefix + KEY.format(product_id), "interest")
        as_of, *replies = await run_redis(pipeline.execute())
        visits = 1.0 / covisit_unit(float(as_of)) if as_of else 0.0
        found = {each: visits * float(reply or 0.0) for each, reply in zip(product_ids, replies, strict=True)}
        if prefix != self._prefix:  # another request has meanwhile seen a switch
            return found
        for product_id, interest in found.items():
            self._entries.pop(product_id, None)  # keeps the dict sorted by the time of reading
            self._entries[product_id] = (interest, now)
        while len(self._entries) > MAX_ENTRIES:
            del self._entries[next(iter(self._entries))]
        return found
