"""The most popular products of categories, and the categories of products, both cached for many requests."""

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from sys import intern
from typing import Any, TypeVar

from serving.kit.product_cards import ProductCardLoader
from serving.kit.redis_client import run_redis
from serving.recommendations.product_cache import ProductCache
from serving.recommendations.proposal import Proposal

Member = TypeVar("Member")

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
        return {
            category: [(intern(member.decode()), share) for member, share in relative(members)]
            for category, members in zip(categories, found, strict=True)
        }


class ProductCategories(ProductCache[str | None]):
    """Reads the category of a product's card from Redis; None if it has none."""

    ttl_s = 30.0
    """Products seldom move to another category."""

    max_entries = 32_768
    """Some 5 MB."""

    async def _read(self, product_ids: Sequence[str], prefix: str) -> dict[str, str | None]:
        cards = await ProductCardLoader(self._redis, prefix).read(product_ids)
        return {each: cards[each].category if each in cards else None for each in product_ids}


def popular_in(
    favourites: Mapping[str, float],
    rankings: Mapping[str, CategoryRanking],
    excluded: Collection[str],
    limit: int,
) -> list[Proposal]:
    """Return the `limit` best products of each category that are not `excluded`, each product once.

    Their score is the interest relative to that of the best product of the category, times the weight of the
    category in `favourites`. A product in several categories counts where its score is highest.
    """
    best: dict[str, Proposal] = {}
    for category, weight in favourites.items():
        others = (each for each in rankings[category] if each[0] not in excluded)
        for product_id, share in islice(others, limit):
            if product_id not in best or weight * share > best[product_id].score:
                best[product_id] = Proposal(product_id, weight * share, "category", category)
    return list(best.values())


def relative(members: Sequence[tuple[Member, float]]) -> list[tuple[Member, float]]:
    """Return the members of a ranking, best first, with scores relative to the first."""
    best = members[0][1] if members else 0.0
    return [(member, value / best if best else 0.0) for member, value in members]
