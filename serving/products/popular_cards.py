"""Lists products from Redis alone, for the time when ClickHouse does not answer."""

from collections.abc import Sequence

from serving.kit.live_versions import LiveVersions
from serving.kit.offers import Offer
from serving.kit.product_cards import open_cards
from serving.kit.redis_client import OPTIONAL_TIMEOUT_S
from serving.products.popular_order import popularity_of_best
from serving.products.search import Sort


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
