"""Caches the neighbours of products. They change slowly, and many requests need the same ones."""

from collections.abc import Sequence
from sys import intern
from time import monotonic
from typing import Any, NamedTuple

from redis.asyncio import Redis

from serving.catalogue.cards import KEY
from serving.recommendations.scoring import SUPPORT, Neighbours, cosines, covisit_unit
from serving.redis_client import run_redis

NEIGHBOURS = 32
"""The number of neighbours that are read per product: half of those that job `recommendations` stores."""

CACHE_TTL_S = 30.0
"""How long neighbours are cached. Their scores decay over weeks."""

MAX_ENTRIES = 4_096
"""The number of products whose neighbours are cached: about 15 MB."""


class CacheEntry(NamedTuple):
    """The neighbours of a product, and when they were read (monotonic clock)."""

    neighbours: Neighbours
    read_at: float


class NeighbourCache:
    """Reads `similar:{product_id}` from Redis, and the interest in the product and in its neighbours."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._prefix = ""
        self._entries: dict[str, CacheEntry] = {}

    async def of(self, product_ids: Sequence[str], prefix: str) -> dict[str, Neighbours]:
        """Return the neighbours of these products, at most `CACHE_TTL_S` old.

        `prefix` is that of the live version of job `recommendations`. Another version has other neighbours.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        now = monotonic()
        if prefix != self._prefix:
            self._prefix, self._entries = prefix, {}
        found = {
            each: entry.neighbours
            for each in product_ids
            if (entry := self._entries.get(each)) and now - entry.read_at <= CACHE_TTL_S
        }
        missing = [each for each in product_ids if each not in found]
        return found | await self._read(missing, prefix, now) if missing else found

    async def _read(self, product_ids: Sequence[str], prefix: str, now: float) -> dict[str, Neighbours]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        pipeline.hget(f"{prefix}recommendations_as_of", "product_viewed")
        for each in product_ids:
            similar = f"{prefix}similar:{each}"
            pipeline.hget(prefix + KEY.format(each), "interest")
            pipeline.zrange(similar, 0, NEIGHBOURS - 1, desc=True, withscores=True)
            # One SORT reads the interest in all neighbours. A HGET for each would take longer than the rest.
            interest = prefix + KEY.format("*->interest")
            pipeline.sort(similar, 0, NEIGHBOURS, "nosort", ["#", interest], desc=True)
        as_of, *others = await run_redis(pipeline.execute())
        support = SUPPORT * covisit_unit(float(as_of)) if as_of else 0.0
        replies = iter(others)
        found = {
            product_id: _neighbours(own, members, interest, support)
            for product_id, own, members, interest in zip(product_ids, replies, replies, replies, strict=True)
        }
        if prefix != self._prefix:  # another request has meanwhile seen a switch
            return found
        for product_id, neighbours in found.items():
            self._entries.pop(product_id, None)  # keeps the dict sorted by the time of reading
            self._entries[product_id] = CacheEntry(neighbours, now)
        while len(self._entries) > MAX_ENTRIES:
            del self._entries[next(iter(self._entries))]
        return found


def _neighbours(
    own: bytes | None,
    members: Sequence[tuple[bytes, float]],
    interest: Sequence[bytes | None],
    support: float,
) -> Neighbours:
    """Return the cosines. `interest` has each member, in any order, followed by the interest in it."""
    theirs = {
        member.decode(): float(value)
        for member, value in zip(interest[::2], interest[1::2], strict=True)
        if member is not None and value is not None
    }
    covisits = ((intern(member.decode()), sum_) for member, sum_ in members)
    return cosines(covisits, float(own or 0.0), theirs, support)
