"""Recommends the newest listings in the categories of the visitor's products."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from serving.kit.redis_client import run_redis
from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import CATEGORIES, RecommendationRequest, relative
from serving.recommendations.scoring import favourite_categories


class NewestInCategory:
    """Proposes the newest listings."""

    strategy = "newest_in_category"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Propose the newest listings of each category, starting with the visitor's favourite category."""
        cards = await request.cards.read([seed.product_id for seed in request.seeds])
        category_of = {product_id: card.category for product_id, card in cards.items()}
        favourites = favourite_categories(request.seeds, category_of, CATEGORIES)
        pipeline: Any = self._redis.pipeline(transaction=False)
        for category in favourites:
            last = 2 * wanted + len(request.excluded)
            pipeline.zrange(request.key(f"newest:{category}"), 0, last, desc=True, withscores=True)
        return [
            Proposal(member.decode(), share, "newest", category)
            for category, members in zip(favourites, await run_redis(pipeline.execute()), strict=True)
            for member, share in relative(members)
        ]
