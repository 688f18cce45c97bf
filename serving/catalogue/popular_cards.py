"""Lists products from Redis alone, for the time when ClickHouse does not answer."""

from collections.abc import Sequence
from typing import Any

from serving.analytics.popular import ranking
from serving.catalogue.cards import open_cards
from serving.catalogue.offers import Offer
from serving.catalogue.search import Sort
from serving.live_versions import LiveVersions
from serving.redis_client import OPTIONAL_TIMEOUT_S, run_redis

MAX_RANKED = 200
"""The number of products of a ranking that are read."""


async def popular_cards(
    versions: LiveVersions, category: str, currency: str, sort: Sort, limit: int
) -> list[Offer]:
    """Return up to `limit` listed products of a category, the most popular first; "" is every category.

    Only products that somebody viewed or bought are ranked.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    loader = await open_cards(versions, OPTIONAL_TIMEOUT_S)
    if category:
        reply: Any = versions.redis.zrange(f"{loader.prefix}popular:{category}", 0, MAX_RANKED - 1, desc=True)
        ids = [member.decode() for member in await run_redis(reply, OPTIONAL_TIMEOUT_S)]
    else:
        ids = [product_id for product_id, _ in await ranking(versions, "popular", MAX_RANKED)]
    cards = await loader.read(ids, OPTIONAL_TIMEOUT_S)
    listed = [card for card in cards.values() if card.listed and card.currency == currency]
    return _sorted(listed, sort)[:limit]


def _sorted(cards: Sequence[Offer], sort: Sort) -> list[Offer]:
    if sort in ("best", "relevance"):
        return list(cards)
    return sorted(cards, key=lambda card: card.price_minor, reverse=sort == "dearest")
