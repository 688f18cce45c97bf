"""The popular products of the shop or of a category, which a list shows first."""

from collections.abc import Mapping, Sequence
from math import log2
from typing import Any

from serving.kit.live_versions import LiveVersions, VersionedJob
from serving.kit.offers import Offer
from serving.kit.product_cards import open_cards
from serving.kit.rankings import HALF_LIFE_DAYS, KEYS
from serving.kit.redis_client import OPTIONAL_TIMEOUT_S, run_redis
from serving.products.search import Sort

MAX_RANKED = 200
"""The number of products that a list shows first. Job `recommendations` keeps as many of a category."""

_BEFORE_OTHERS = 2**60
"""More than any time in milliseconds, by which the other products are sorted."""

_STEPS = 2**20
"""The steps of a key while a popularity doubles. So keys differ if popularities differ by a millionth."""


async def popularity_of_best(versions: LiveVersions, category: str) -> dict[str, float]:
    """Return the popularity of up to `MAX_RANKED` products of a category, the largest first; "" is the shop.

    It is the logarithm to base 2 of the decayed units ordered, and in a category of the decayed interest
    (docs/architecture.md). Newer events count more instead of older ones less, so time alone changes none.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    job: VersionedJob = "recommendations" if category else "rankings"
    key = f"popular:{category}" if category else KEYS["popular"]
    prefix = await versions.prefix(job, OPTIONAL_TIMEOUT_S)
    reply: Any = versions.redis.zrange(prefix + key, 0, MAX_RANKED - 1, desc=True, withscores=True)
    scores = {member.decode(): float(score) for member, score in await run_redis(reply, OPTIONAL_TIMEOUT_S)}
    if category:
        return {product_id: log2(score) for product_id, score in scores.items() if score > 0.0}
    half_life_s = HALF_LIFE_DAYS["popular"] * 86_400
    return {product_id: score / half_life_s for product_id, score in scores.items()}


def popular_keys(popularity: Mapping[str, float]) -> dict[str, int]:
    """Return the sort key of each product: the smaller, the more popular; smaller than that of any other."""
    return {product_id: -_BEFORE_OTHERS - round(each * _STEPS) for product_id, each in popularity.items()}


async def popular_cards(
    versions: LiveVersions, category: str, currency: str, sort: Sort, limit: int
) -> list[Offer]:
    """Return up to `limit` listed products of a category, the most popular first; "" is every category.

    Only products that somebody viewed or bought are ranked. Redis does not know which are the newest.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    loader = await open_cards(versions, OPTIONAL_TIMEOUT_S)
    cards = await loader.read(await popularity_of_best(versions, category), OPTIONAL_TIMEOUT_S)
    listed = [card for card in cards.values() if card.listed and card.currency == currency]
    return _sorted(listed, sort)[:limit]


def _sorted(cards: Sequence[Offer], sort: Sort) -> list[Offer]:
    if sort not in ("cheapest", "dearest"):
        return list(cards)
    return sorted(cards, key=lambda card: card.price_minor, reverse=sort == "dearest")
