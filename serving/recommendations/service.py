"""Answers what to show: asks the recommenders in turn, and shows only what can be bought and is new."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis

from common.ids import new_id
from common.metrics import RECOMMENDATIONS
from serving.problems import UnknownProduct
from serving.products import Cards, ProductCard
from serving.recommendations.recommender import (
    Asked,
    ItemNeighbours,
    Popular,
    PopularInCategory,
    Proposal,
    Recommender,
)
from serving.recommendations.schemas import Item, Reason, Recommendations, SimilarProducts
from serving.recommendations.scoring import Seed, seeds
from serving.recommendations.visitor import Visitor, read_visitor

Context = Literal["home", "product", "cart"]

SPARE = 4
"""Cards that are read beyond those that are shown if all are for sale."""

NOBODY = Visitor({}, {}, {}, None)


@dataclass(frozen=True, slots=True)
class Shown:
    """The items of an answer and the strategy that gave the first of them."""

    items: list[Item]
    strategy: str


class RecommendationService:
    """Recommendations and similar products, all from Redis."""

    def __init__(self, redis: Redis, recommenders: Sequence[Recommender] = ()) -> None:
        self._redis = redis
        self._recommenders = recommenders or (
            ItemNeighbours(redis),
            PopularInCategory(redis),
            Popular(redis),
        )

    async def recommend(
        self, visitor_id: str, n: int, context: Context, product_id: str | None
    ) -> Recommendations:
        """At most `n` products for a shopper or session.

        Raises:
            UnknownProduct: nobody ever listed `product_id`.
            RedisUnavailable: Redis does not answer.
        """
        cards = Cards(self._redis)
        visitor = await read_visitor(self._redis, visitor_id, cards, product_id)
        viewed = {} if context == "cart" and visitor.carted else visitor.viewed
        if product_id is not None and cards.get(product_id) is None:
            raise UnknownProduct(product_id)
        asked = _asked(visitor, seeds(viewed, visitor.carted, product_id), product_id, cards)
        shown = await self._show(asked, n, self._recommenders)
        RECOMMENDATIONS.labels(context, shown.strategy).inc()
        return {
            "recommendation_id": new_id(),
            "strategy": shown.strategy,
            "as_of": visitor.as_of,
            "items": shown.items,
        }

    async def similar(self, product_id: str, n: int) -> SimilarProducts:
        """At most `n` products that go with one, whoever asks; where too few do, of its category.

        Every recommender is asked but for what is popular, which goes with this one no more than with others.

        Raises:
            UnknownProduct: nobody ever listed it.
            RedisUnavailable: Redis does not answer.
        """
        asked = _asked(NOBODY, [Seed(product_id, 1.0)], product_id, Cards(self._redis))
        if product_id not in await asked.cards.read([product_id]):
            raise UnknownProduct(product_id)
        beside_it = [one for one in self._recommenders if one.strategy != Popular.strategy]
        shown = await self._show(asked, n, beside_it)
        return {"product_id": product_id, "strategy": shown.strategy, "items": shown.items}

    async def _show(self, asked: Asked, n: int, recommenders: Sequence[Recommender]) -> Shown:
        items: list[Item] = []
        strategy = recommenders[-1].strategy
        shown = set(asked.excluded)
        for recommender in recommenders:
            proposals = [one for one in await recommender.propose(asked, n) if one.product_id not in shown]
            for at in range(0, len(proposals), n + SPARE):  # few are sold out: the first cards will do
                looked_at = proposals[at : at + n + SPARE]
                await asked.cards.fetch(_needed(looked_at))
                for one in looked_at:
                    card = asked.cards.get(one.product_id)
                    if card is None or not card.for_sale or one.product_id in shown:
                        continue
                    strategy = strategy if items else recommender.strategy
                    shown.add(one.product_id)
                    items.append(_item(card, one, _reason(one, asked)))
                    if len(items) == n:
                        return Shown(items, strategy)
        return Shown(items, strategy)


def _asked(visitor: Visitor, weighed: list[Seed], anchor: str | None, cards: Cards) -> Asked:
    known = {*visitor.viewed, *visitor.carted, *visitor.bought}
    return Asked(visitor, weighed, anchor, frozenset(known | {anchor} if anchor else known), cards)


def _needed(proposals: Sequence[Proposal]) -> list[str]:
    """The products that are proposed, and those because of which."""
    because = {one.because_of for one in proposals if one.kind == "similar" and one.because_of}
    return [*(one.product_id for one in proposals), *because]


def _item(card: ProductCard, one: Proposal, reason: Reason) -> Item:
    return {
        "product_id": card.product_id,
        "seller_id": card.seller_id,
        "name": card.name,
        "category": card.category,
        "price_minor": card.price_minor,
        "currency": card.currency,
        "score": round(one.score, 6),
        "reason": reason,
    }


def _reason(one: Proposal, asked: Asked) -> Reason:
    if one.kind == "popular" or one.because_of is None:
        return {"kind": "popular", "product_id": None, "category": None, "text": "Popular right now"}
    if one.kind == "category":
        text = f"Popular in {one.because_of.replace('_', ' ')}"
        return {"kind": "category", "product_id": None, "category": one.because_of, "text": text}
    seed = asked.cards.get(one.because_of)
    name = seed.name if seed and seed.name else "it"
    if one.because_of == asked.anchor:
        text = f"Others looked at this beside {name}"
    elif one.because_of in asked.visitor.carted:
        text = f"Goes with {name} in your cart"
    else:
        text = f"Because you looked at {name}"
    return {"kind": "similar", "product_id": one.because_of, "category": None, "text": text}
