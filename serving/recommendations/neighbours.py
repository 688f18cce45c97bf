"""Caches the neighbours of products. They change slowly, and many requests need the same ones."""

from collections.abc import Sequence
from sys import intern
from typing import Any

from serving.kit.product_cards import KEY
from serving.kit.redis_client import run_redis
from serving.recommendations.product_cache import ProductCache
from serving.recommendations.scoring import SUPPORT, Neighbours, cosines, covisit_unit

NEIGHBOURS = 32
"""The number of neighbours that are read per product: half of those that job `recommendations` stores."""


class NeighbourCache(ProductCache[Neighbours]):
    """Reads `similar:{product_id}` from Redis, and the interest in the product and in its neighbours."""

    ttl_s = 30.0
    """Their scores decay over weeks."""

    max_entries = 4_096
    """About 15 MB."""

    async def _read(self, product_ids: Sequence[str], prefix: str) -> dict[str, Neighbours]:
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
        return {
            product_id: _neighbours(own, members, interest, support)
            for product_id, own, members, interest in zip(product_ids, replies, replies, replies, strict=True)
        }


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
