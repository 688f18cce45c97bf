"""Runs the recommenders in turn, and keeps products that are for sale and new to the visitor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from common.clock import Clock, system_clock
from common.experiments.assignment import Assignment
from common.experiments.definition import DEFAULT_STRATEGY
from common.ids import new_id
from common.metrics import RECOMMENDATIONS, STRATEGY_FALLBACKS
from serving.catalogue.cards import ProductCardLoader, open_cards
from serving.catalogue.offers import Offer
from serving.live_versions import LiveVersions
from serving.problems import UnknownProduct
from serving.recommendations.answer_log import Answer, AnswerLog
from serving.recommendations.exploration import explored
from serving.recommendations.recommender import (
    ItemNeighbours,
    Popular,
    PopularInCategory,
    Proposal,
    RecommendationRequest,
    Recommender,
)
from serving.recommendations.schemas import Item, Reason, Recommendations, SimilarProducts
from serving.recommendations.scoring import Seed, seeds
from serving.recommendations.strategy_choice import StrategyChoice
from serving.recommendations.visitor_history import VisitorHistory, read_visitor_history

Context = Literal["home", "product", "cart"]

SPARE_CARDS = 4
"""The number of cards that are read beyond the requested number, in case some products are sold out."""

NO_HISTORY = VisitorHistory({}, {}, {}, None)


@dataclass(frozen=True, slots=True)
class RankedItems:
    """The recommended items, and the strategy of the first.

    `sources` is product → the recommender that proposed it. `propensity` is the chance with which each item
    has its place. Of a random list, `alternatives` has the product ids of each strategy's list.
    """

    items: list[Item]
    strategy: str
    sources: Mapping[str, str]
    propensity: float = 1.0
    alternatives: Mapping[str, Sequence[str]] = field(default_factory=dict)


class RecommendationService:
    """Returns recommendations and similar products, all from Redis.

    Without a `choice`, every visitor gets the default strategy. Without a `log`, answers are not logged.
    """

    def __init__(
        self,
        versions: LiveVersions,
        recommenders: Sequence[Recommender] = (),
        choice: StrategyChoice | None = None,
        log: AnswerLog | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._versions = versions
        self._redis = versions.redis
        self._choice, self._log, self._clock = choice, log, clock
        self._recommenders = recommenders or (
            ItemNeighbours(self._redis),
            PopularInCategory(self._redis),
            Popular(versions),
        )
        self._strategies: Mapping[str, Sequence[Recommender]] = {
            DEFAULT_STRATEGY: self._recommenders,
            "popular": [Popular(versions)],
        }

    async def recommend(
        self, visitor_id: str, n: int, context: Context, product_id: str | None
    ) -> Recommendations:
        """Return at most `n` products for a shopper or session.

        Raises:
            UnknownProduct: `product_id` was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards = await open_cards(self._versions)
        visitor = await read_visitor_history(self._redis, visitor_id, cards, product_id)
        viewed = {} if context == "cart" and visitor.carted else visitor.viewed
        if product_id is not None and cards.get(product_id) is None:
            raise UnknownProduct(product_id)
        request = _request(visitor, seeds(viewed, visitor.carted, product_id), product_id, cards)
        assignment = self._assigned(visitor_id, context)
        strategy = self._offered(assignment.strategy)
        shown = await self._answer(request, n, strategy)
        RECOMMENDATIONS.labels(context, shown.strategy).inc()
        recommendation_id = new_id()
        if self._log is not None:
            answer = Answer(
                recommendation_id=recommendation_id,
                answered_at=self._clock(),
                visitor_id=visitor_id,
                surface=context,
                anchor_product_id=product_id,
                assignment=assignment,
                strategy=strategy,
                model_version=None,
                seeds=request.seeds,
                items=shown.items,
                sources=shown.sources,
                propensity=shown.propensity,
                alternatives=shown.alternatives,
            )
            self._log.put(answer)
        return {
            "recommendation_id": recommendation_id,
            "strategy": shown.strategy,
            "experiment": assignment.experiment,
            "variant": assignment.arm,
            "as_of": visitor.as_of,
            "items": shown.items,
        }

    async def similar(self, product_id: str, n: int) -> SimilarProducts:
        """Return at most `n` products that go with this one, for any visitor.

        `Popular` is not used, because popular products are not related to this one.

        Raises:
            UnknownProduct: the product was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards = await open_cards(self._versions)
        request = _request(NO_HISTORY, [Seed(product_id, 1.0)], product_id, cards)
        if product_id not in await request.cards.read([product_id]):
            raise UnknownProduct(product_id)
        recommenders = [each for each in self._recommenders if each.strategy != Popular.strategy]
        shown = await self._show(request, n, recommenders)
        return {"product_id": product_id, "strategy": shown.strategy, "items": shown.items}

    def _assigned(self, visitor_id: str, context: Context) -> Assignment:
        if self._choice is None:
            return Assignment(None, None, DEFAULT_STRATEGY, 1.0)
        return self._choice.strategy_for(visitor_id, context)

    def _offered(self, strategy: str) -> str:
        """Return the strategy, or the default one if this process does not offer it."""
        if strategy in self._strategies:
            return strategy
        STRATEGY_FALLBACKS.labels(strategy).inc()
        return DEFAULT_STRATEGY

    async def _answer(self, request: RecommendationRequest, n: int, strategy: str) -> RankedItems:
        if self._choice is None or not self._choice.explores():
            return await self._show(request, n, self._strategies[strategy])
        lists = {name: await self._show(request, n, each) for name, each in self._strategies.items()}
        items, propensity = explored(
            {name: each.items for name, each in lists.items()}, n, self._choice.shuffled
        )
        sources = {
            product_id: source for each in lists.values() for product_id, source in each.sources.items()
        }
        alternatives = {name: [item["product_id"] for item in each.items] for name, each in lists.items()}
        first = sources[items[0]["product_id"]] if items else lists[strategy].strategy
        return RankedItems(items, first, sources, propensity, alternatives)

    async def _show(
        self, request: RecommendationRequest, n: int, recommenders: Sequence[Recommender]
    ) -> RankedItems:
        items: list[Item] = []
        strategy = recommenders[-1].strategy
        sources: dict[str, str] = {}
        shown = set(request.excluded)
        for recommender in recommenders:
            proposals = [one for one in await recommender.propose(request, n) if one.product_id not in shown]
            # Few products are sold out, so the first slice is usually enough.
            for start in range(0, len(proposals), n + SPARE_CARDS):
                checked = proposals[start : start + n + SPARE_CARDS]
                await request.cards.load(_needed(checked))
                for one in checked:
                    card = request.cards.get(one.product_id)
                    if card is None or not card.for_sale or one.product_id in shown:
                        continue
                    strategy = strategy if items else recommender.strategy
                    shown.add(one.product_id)
                    sources[one.product_id] = recommender.strategy
                    items.append(_item(card, one, _reason(one, request)))
                    if len(items) == n:
                        return RankedItems(items, strategy, sources)
        return RankedItems(items, strategy, sources)


def _request(
    visitor: VisitorHistory,
    weighted: list[Seed],
    anchor: str | None,
    cards: ProductCardLoader,
) -> RecommendationRequest:
    excluded = {*visitor.viewed, *visitor.carted, *visitor.bought}
    return RecommendationRequest(
        visitor, weighted, anchor, frozenset(excluded | {anchor} if anchor else excluded), cards
    )


def _needed(proposals: Sequence[Proposal]) -> list[str]:
    """Return the proposed products, and the seeds that their reasons name."""
    because = {one.because_of for one in proposals if one.kind == "similar" and one.because_of}
    return [*(one.product_id for one in proposals), *because]


def _item(card: Offer, one: Proposal, reason: Reason) -> Item:
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


def _reason(one: Proposal, request: RecommendationRequest) -> Reason:
    if one.kind == "popular" or one.because_of is None:
        return {"kind": "popular", "product_id": None, "category": None, "text": "Popular right now"}
    if one.kind == "category":
        text = f"Popular in {one.because_of.replace('_', ' ')}"
        return {"kind": "category", "product_id": None, "category": one.because_of, "text": text}
    seed = request.cards.get(one.because_of)
    name = seed.name if seed and seed.name else "it"
    if one.because_of == request.anchor:
        text = f"Often viewed together with {name}"
    elif one.because_of in request.visitor.carted:
        text = f"Goes with {name} in your cart"
    else:
        text = f"Because you looked at {name}"
    return {"kind": "similar", "product_id": one.because_of, "category": None, "text": text}
