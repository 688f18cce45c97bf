"""Reads and caches how popular products are: the interest that job `recommendations` counts."""

from collections.abc import Iterable
from datetime import datetime
from time import monotonic
from typing import Any

from redis.asyncio import Redis

from serving.catalogue.cards import KEY
from serving.recommendations.scoring import covisit_unit
from serving.redis_client import run_redis

CACHE_TTL_S = 300.0
"""How long an interest is cached. It decays over weeks, and a discount needs its magnitude only."""

MAX_ENTRIES = 65_536
"""The number of products whose interest is cached: about 12 MB."""


class InterestCache:
    """Reads the field `interest` of `product:{product_id}` from Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._prefix = ""
        self._entries: dict[str, tuple[float, float]] = {}

    async def of(self, product_ids: Iterable[str], prefix: str, as_of: datetime | None) -> dict[str, float]:
        """Return product → its decayed number of views at `as_of`, at most `CACHE_TTL_S` old.

        `prefix` is that of the live version of job `recommendations`. A product without interest has 0.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        if as_of is None:
            return {}
        now, wanted = monotonic(), list(product_ids)
        if prefix != self._prefix:
            self._prefix, self._entries = prefix, {}
        known = {
            each: entry[0]
            for each in wanted
            if (entry := self._entries.get(each)) and now - entry[1] <= CACHE_TTL_S
        }
        missing = [each for each in wanted if each not in known]
        read = await self._read(missing, prefix) if missing else {}
        if prefix == self._prefix:  # else another request has meanwhile seen a switch
            for product_id, interest in read.items():
                self._entries.pop(product_id, None)  # keeps the dict sorted by the time of reading
                self._entries[product_id] = (interest, now)
            while len(self._entries) > MAX_ENTRIES:
                del self._entries[next(iter(self._entries))]
        unit = covisit_unit(as_of.timestamp())
        return {product_id: interest / unit for product_id, interest in (known | read).items()}

    async def _read(self, product_ids: list[str], prefix: str) -> dict[str, float]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        for product_id in product_ids:
            pipeline.hget(prefix + KEY.format(product_id), "interest")
        replies = await run_redis(pipeline.execute())
        return {each: float(reply or 0.0) for each, reply in zip(product_ids, replies, strict=True)}
