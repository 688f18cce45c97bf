"""The interface of recommenders, and three of them: item neighbours, popular in category, and popular.

A trained model would be one more in the list of `service.py`. The service never shows a proposed product
that can't be bought, or that the visitor has bought.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from redis.asyncio import Redis

from serving.analytics.popular import ranking
from serving.catalogue.cards import ProductCardLoader
from serving.catalogue.offers import Offer
from serving.recommendations.neighbours import NeighbourCache
from serving.recommendations.scoring import ScoredProduct, Seed, favourite_categories, score
from serving.recommendations.visitor_history import VisitorHistory
from serving.redis_client import run_redis

Kind = Literal["similar", "category", "popular"]

CANDIDATES = 48
"""The number of proposed products. Some of them may be sold out."""

CATEGORIES = 3


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """The visitor, the seeds, the product of the page, the products to leave out, and the card loader."""

    visitor: VisitorHistory
    seeds: Sequence[Seed]
    anchor: str | None
    excluded: frozenset[str]
    cards: ProductCardLoader


@dataclass(frozen=True, slots=True)
class Proposal:
    """A product that a recommender proposes, and why: because of a product, a category, or everyone.

    Only the scores of one recommender are comparable with each other.
    """

    product_id: str
    score: float
    kind: Kind
    because_of: str | None = None


class Recommender(Protocol):
    """Something that proposes products."""

    @property
    def strategy(self) -> str:
        """The name that `recommendation_shown` events carry."""

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return products, the best first: more than `wanted`, because some may be sold out.

        Raises:
            RedisUnavailable: Redis does not answer.
        """


class ItemNeighbours:
    """Proposes what others viewed, carted and bought together with what this visitor did."""

    strategy = "item_neighbours"

    def __init__(self, redis: Redis) -> None:
        self._neighbours = NeighbourCache(redis)

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return the neighbours of the seeds by weighted cosine."""
        if not request.seeds:
            return []
        neighbours = await self._neighbours.of([seed.product_id for seed in request.seeds])
        most = max(CANDIDATES, 2 * wanted)
        return [_similar(one) for one in score(request.seeds, neighbours, most, request.excluded)]


class PopularInCategory:
    """Proposes the most popular products of the categories that this visitor viewed."""

    strategy = "popular_in_category"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return the best of each favourite category, the favourite's first."""
        cards = await request.cards.read([seed.product_id for seed in request.seeds])
        category_of = {product_id: card.category for product_id, card in cards.items()}
        favourites = favourite_categories(request.seeds, category_of)[:CATEGORIES]
        if not favourites:
            return []
        pipeline: Any = self._redis.pipeline(transaction=False)
        for category in favourites:
            last = 2 * wanted + len(request.excluded)
            pipeline.zrange(f"popular:{category}", 0, last, desc=True, withscores=True)
        found = await run_redis(pipeline.execute())
        await request.cards.load([member.decode() for members in found for member, _ in members])
        # A product may still be in its old category: a restarted job can read a change before the listing.
        proposals: list[Proposal] = []
        for category, members in zip(favourites, found, strict=True):
            there = [each for each in members if _is_in(category, request.cards.offers(each[0].decode()))]
            proposals += [
                Proposal(member.decode(), share, "category", category) for member, share in relative(there)
            ]
        return proposals


class Popular:
    """Proposes what sells best right now, also to a new visitor."""

    strategy = "popular_products"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return the first products of the ranking that job `metrics` writes."""
        found = await ranking(self._redis, "popular", 2 * wanted + len(request.excluded) + 1)
        return [Proposal(product_id, share, "popular") for product_id, share in found]


def relative(members: Sequence[tuple[bytes, float]]) -> list[tuple[bytes, float]]:
    """Return members of a sorted set, best first, with scores relative to the first."""
    best = members[0][1] if members else 0.0
    return [(member, value / best if best else 0.0) for member, value in members]


def _is_in(category: str, offers: Iterable[Offer]) -> bool:
    return any(offer.listed and offer.category == category for offer in offers)


def _similar(one: ScoredProduct) -> Proposal:
    return Proposal(one.product_id, one.score, "similar", one.because_of)
