"""What every recommender is, and the three there are: neighbours, the favourite categories, what is popular.

A trained model is one more: it proposes products for what is `asked`, and takes its place in the list of
`service.py`. Whatever it proposes, the service never shows what can't be bought or just was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from redis.asyncio import Redis

from serving.analytics.popular import ranking
from serving.products import Cards, ProductCard
from serving.recommendations.neighbourhoods import Neighbourhoods
from serving.recommendations.scoring import Scored, Seed, favourite_categories, score
from serving.recommendations.visitor import Visitor
from serving.redis_client import answered

Kind = Literal["similar", "category", "popular"]

CANDIDATES = 48
"""Candidates that are proposed: some will turn out to be sold out."""

CATEGORIES = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What is recommended for: whom, because of which products, beside which page, and what is left out."""

    visitor: Visitor
    seeds: Sequence[Seed]
    anchor: str | None
    excluded: frozenset[str]
    cards: Cards


@dataclass(frozen=True, slots=True)
class Proposal:
    """A product that a recommender would show, and why: because of a product, a category, or everyone.

    Scores are comparable within the proposals of one recommender only.
    """

    product_id: str
    score: float
    kind: Kind
    because_of: str | None = None


class Recommender(Protocol):
    """Something that proposes products."""

    @property
    def strategy(self) -> str:
        """Its name, which `recommendation_shown` tells."""

    async def propose(self, asked: Asked, wanted: int) -> Sequence[Proposal]:
        """Products, best first; more than `wanted`, for some will turn out to be sold out.

        Raises:
            RedisUnavailable: Redis does not answer.
        """


class ItemNeighbours:
    """What others looked at, put into carts and bought together with what this one did."""

    strategy = "item_neighbours"

    def __init__(self, redis: Redis) -> None:
        self._neighbourhoods = Neighbourhoods(redis)

    async def propose(self, asked: Asked, wanted: int) -> Sequence[Proposal]:
        """The neighbours of the seeds, by cosine."""
        if not asked.seeds:
            return []
        neighbours = await self._neighbourhoods.of([seed.product_id for seed in asked.seeds])
        most = max(CANDIDATES, 2 * wanted)
        return [_similar(one) for one in score(asked.seeds, neighbours, most, asked.excluded)]


class PopularInCategory:
    """What is most wanted of the categories that this one looked at."""

    strategy = "popular_in_category"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def propose(self, asked: Asked, wanted: int) -> Sequence[Proposal]:
        """The best of each favourite category, the favourite's first."""
        cards = await asked.cards.read([seed.product_id for seed in asked.seeds])
        category_of = {product_id: card.category for product_id, card in cards.items()}
        favourites = favourite_categories(asked.seeds, category_of)[:CATEGORIES]
        if not favourites:
            return []
        pipeline: Any = self._redis.pipeline(transaction=False)
        for category in favourites:
            last = 2 * wanted + len(asked.excluded)
            pipeline.zrange(f"popular:{category}", 0, last, desc=True, withscores=True)
        found = await answered(pipeline.execute())
        cards = await asked.cards.read([member.decode() for members in found for member, _ in members])
        # A product that moved may be left over where it was: a restart can read the move before the listing.
        proposals: list[Proposal] = []
        for category, members in zip(favourites, found, strict=True):
            there = [each for each in members if _is_in(category, cards.get(each[0].decode()))]
            proposals += [
                Proposal(member.decode(), share, "category", category) for member, share in relative(there)
            ]
        return proposals


class Popular:
    """What sells best right now, for whoever came a second ago."""

    strategy = "popular_products"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def propose(self, asked: Asked, wanted: int) -> Sequence[Proposal]:
        """The head of the ranking that job `metrics` keeps."""
        found = await ranking(self._redis, "popular", 2 * wanted + len(asked.excluded) + 1)
        return [Proposal(product_id, share, "popular") for product_id, share in found]


def relative(members: Sequence[tuple[bytes, float]]) -> list[tuple[bytes, float]]:
    """Members of a sorted set, best first, with scores relative to the first one's."""
    best = members[0][1] if members else 0.0
    return [(member, value / best if best else 0.0) for member, value in members]


def _is_in(category: str, card: ProductCard | None) -> bool:
    return card is not None and card.category == category


def _similar(one: Scored) -> Proposal:
    return Proposal(one.product_id, one.score, "similar", one.because_of)
