"""Caches the most popular products of categories. Many requests need the same ones."""

from collections.abc import Sequence
from sys import intern
from typing import Any

from serving.recommendations.product_cache import ProductCache
from serving.redis_client import run_redis

CategoryRanking = Sequence[tuple[str, float]]
"""Products and their interest relative to the first, best first."""


class CategoryRankings(ProductCache[CategoryRanking]):
    """Reads `popular:{category}` from Redis, at most 200 products each."""

    ttl_s = 30.0
    """Interest decays over weeks. What is no longer listed or in the category is left out with its card."""

    max_entries = 512
    """About 10 MB."""

    async def _read(self, categories: Sequence[str], prefix: str) -> dict[str, CategoryRanking]:
        pipeline: Any = self._redis.pipeline(transaction=False)
        for category in categories:
            pipeline.zrange(f"{prefix}popular:{category}", 0, -1, desc=True, withscores=True)
        found = await run_redis(pipeline.execute())
        return {category: relative(members) for category, members in zip(categories, found, strict=True)}


def relative(members: Sequence[tuple[bytes, float]]) -> list[tuple[str, float]]:
    """Return the members of a sorted set, best first, with scores relative to the first."""
    best = members[0][1] if members else 0.0
    return [(intern(member.decode()), value / best if best else 0.0) for member, value in members]
