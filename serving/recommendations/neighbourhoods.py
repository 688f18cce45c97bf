"""The neighbours of products, kept for a moment: they change slowly, and many visitors ask for the same."""

from collections.abc import Sequence
from sys import intern
from time import monotonic
from typing import Any, NamedTuple

from redis.asyncio import Redis

from serving.products import KEY
from serving.recommendations.scoring import Neighbours, cosines
from serving.redis_client import answered

NEIGHBOURS = 32
"""Neighbours of a product that are looked at: half of those kept (jobs/recommendations)."""

KEPT_FOR_S = 30.0
"""The job itself writes them by the second, and what they say fades over weeks."""

MOST = 4_096
"""Products whose neighbours are kept: some 15 MB."""


class Kept(NamedTuple):
    """The neighbours of a product, and when they were read (by the monotonic clock)."""

    neighbours: Neighbours
    read_at: float


class Neighbourhoods:
    """Reads `similar:{product_id}` of Redis, and the interest in the product and in those it goes with."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._kept: dict[str, Kept] = {}

    async def of(self, product_ids: Sequence[str]) -> dict[str, Neighbours]:
        """The neighbours of these products, as they were at most `KEPT_FOR_S` ago.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        now = monotonic()
        found = {
            each: kept.neighbours
            for each in product_ids
            if (kept := self._kept.get(each)) and now - kept.read_at <= KEPT_FOR_S
        }
        missing = [each for each in product_ids if each not in found]
        return found | await self._read(missing, now) if missing else found

    async def _read(self, product_ids: Sequence[str], now: float) -> dict[str, Neighbours]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        for each in product_ids:
            pipeline.hget(KEY.format(each), "interest")
            pipeline.zrange(f"similar:{each}", 0, NEIGHBOURS - 1, desc=True, withscores=True)
            # One command for the interest in all of them: a HGET each would take longer than all the rest.
            pipeline.sort(
                f"similar:{each}", 0, NEIGHBOURS, "nosort", ["#", KEY.format("*->interest")], desc=True
            )
        answers = iter(await answered(pipeline.execute()))
        found = {
            product_id: _neighbours(own, members, interest)
            for product_id, own, members, interest in zip(product_ids, answers, answers, answers, strict=True)
        }
        for product_id, neighbours in found.items():
            self._kept.pop(product_id, None)  # so that what was read first lies first
            self._kept[product_id] = Kept(neighbours, now)
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return found


def _neighbours(
    own: bytes | None, members: Sequence[tuple[bytes, float]], interest: Sequence[bytes | None]
) -> Neighbours:
    """What Redis answered: `interest` has each member (it may be another by now) and the interest in it."""
    theirs = {
        member.decode(): float(value)
        for member, value in zip(interest[::2], interest[1::2], strict=True)
        if member is not None and value is not None
    }
    together = ((intern(member.decode()), sum_) for member, sum_ in members)
    return cosines(together, float(own or 0.0), theirs)
