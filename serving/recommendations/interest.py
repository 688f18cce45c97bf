"""Reads and caches how popular products are: the interest that job `recommendations` counts."""

from collections.abc import Sequence
from typing import Any

from serving.kit.product_cards import KEY
from serving.kit.redis_client import run_redis
from serving.recommendations.product_cache import ProductCache
from serving.recommendations.scoring import covisit_unit


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
