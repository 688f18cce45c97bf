"""Blends the recommenders of a strategy, and keeps products that are for sale and new to the visitor."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from common.ids import new_id
from common.metrics import RECOMMENDATION_SOURCES, RECOMMENDATIONS
from serving.catalogue.cards import open_cards
from serving.live_versions import LiveVersions
from serving.problems import UnknownProduct
from serving.recommendations.blend import blend
from serving.recommendations.items import PickedItems
from serving.recommendations.model_rows import ModelRows
from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import (
    CANDIDATES,
    ItemNeighbours,
    PassedOver,
    Popular,
    PopularInCategory,
    RecommendationRequest,
    Recommender,
    WhyPassedOver,
)
from serving.recommendations.schemas import Item, Part, Recommendations, SimilarProducts
from serving.recommendations.scoring import Seed, history, seeds
from serving.recommendations.strategies import DEFAULT_STRATEGY, STRATEGIES, Strategy, StrategyName
from serving.recommendations.trained_models import TrainedModels
from serving.recommendations.trained_neighbours import SimilarContent, TrainedNeighbours
from serving.recommendations.visitor_history import VisitorHistory, read_visitor_history
from serving.redis_client import run_redis

Context = Literal["home", "product", "cart"]

OF_MODEL = ("trained_neighbours", "similar_content")
"""The sources that read the trained model."""

NO_HISTORY = VisitorHistory({}, {}, {}, None)


@dataclass(frozen=True, slots=True)
class RankedItems:
    """The recommended items, which sources answered, and the version of the model if its source did."""

    items: list[Item]
    parts: list[Part]
    model_version: str | None


class RecommendationService:
    """Returns recommendations and similar products, all from Redis."""

    def __init__(
        self,
        versions: LiveVersions,
        recommenders: Sequence[Recommender] = (),
        strategies: Mapping[StrategyName, Strategy] = STRATEGIES,
    ) -> None:
        self._versions = versions
        self._redis = versions.redis
        self._strategies = strategies
        self._models = TrainedModels(self._redis)
        rows = ModelRows(self._redis)
        every = recommenders or (
            ItemNeighbours(self._redis),
            TrainedNeighbours(self._models, rows),
            SimilarContent(self._models, rows),
            PopularInCategory(self._redis),
            Popular(versions),
        )
        self._recommenders = {each.strategy: each for each in every}

    async def recommend(
        self,
        visitor_id: str,
        n: int,
        context: Context,
        product_id: str | None,
        shown: Collection[str] = (),
        strategy: StrategyName = DEFAULT_STRATEGY,
    ) -> Recommendations:
        """Return at most `n` products for a shopper or session, without those that are `shown` already.

        Raises:
            UnknownProduct: `product_id` was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards = await open_cards(self._versions)
        visitor, reply = await read_visitor_history(self._redis, visitor_id, cards, product_id, self._models)
        viewed, bought = (
            ({}, {}) if context == "cart" and visitor.carted else (visitor.viewed, visitor.bought)
        )
        if product_id is not None and cards.get(product_id) is None:
            raise UnknownProduct(product_id)
        request = RecommendationRequest(
            visitor,
            seeds(viewed, visitor.carted, product_id),
            product_id,
            frozenset((*visitor.viewed, *visitor.carted, *visitor.bought, *_given(product_id), *shown)),
            cards,
            history(viewed, visitor.carted, bought, product_id),
            await self._models.in_use(reply, cards.prefix),
        )
        ranked = await self._rank(request, n, context, self._strategies[strategy])
        RECOMMENDATIONS.labels(context, strategy).inc()
        return {
            "recommendation_id": new_id(),
            "strategy": strategy,
            "model_version": ranked.model_version,
            "as_of": visitor.as_of,
            "parts": ranked.parts,
            "items": ranked.items,
        }

    async def similar(self, product_id: str, n: int) -> SimilarProducts:
        """Return at most `n` products that go with this one, for any visitor.

        `Popular` is not used, because popular products are not related to this one.

        Raises:
            UnknownProduct: the product was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards = await open_cards(self._versions)
        pipeline: Any = self._redis.pipeline(transaction=False)
        self._models.queue(pipeline)
        missing = cards.queue(pipeline, [product_id])
        reply, *replies = await run_redis(pipeline.execute())
        cards.store(missing, replies)
        if cards.get(product_id) is None:
            raise UnknownProduct(product_id)
        request = RecommendationRequest(
            NO_HISTORY,
            [Seed(product_id, 1.0)],
            product_id,
            frozenset((product_id,)),
            cards,
            [product_id],
            await self._models.in_use(reply, cards.prefix),
        )
        whole = self._strategies[DEFAULT_STRATEGY]
        related = Strategy(whole.blended, tuple(each for each in whole.fallbacks if each != Popular.strategy))
        ranked = await self._rank(request, n, "product", related)
        return {
            "product_id": product_id,
            "strategy": DEFAULT_STRATEGY,
            "model_version": ranked.model_version,
            "items": ranked.items,
        }

    async def _rank(
        self, request: RecommendationRequest, n: int, context: Context, strategy: Strategy
    ) -> RankedItems:
        """Return the best blended products, then those of the fallbacks, until there are `n`."""
        parts: list[Part] = []
        blended = {each: await self._ask(each, request, n, parts) for each in strategy.blended}
        picked = PickedItems(request, n)
        await picked.add(blend(blended, request.model.weights[context], max(CANDIDATES, 2 * n)))
        for name in strategy.fallbacks:
            if picked.missing:
                proposals = await self._ask(name, request, n, parts)
                best = max((one.score for one in proposals), default=0.0) or 1.0
                await picked.add([one._replace(sources={name: one.score / best}) for one in proposals])
        used = any(blended[each] for each in blended if each in OF_MODEL)
        version = request.model.model.version if used and request.model.model else None
        return RankedItems(picked.items, parts, version)

    async def _ask(
        self, name: str, request: RecommendationRequest, n: int, parts: list[Part]
    ) -> Sequence[Proposal]:
        reason: WhyPassedOver | None = None
        proposals: Sequence[Proposal] = ()
        try:
            proposals = await self._recommenders[name].propose(request, n)
            reason = None if proposals else "no_candidates"
        except PassedOver as error:
            reason = error.reason
        RECOMMENDATION_SOURCES.labels(name, reason or "answered").inc()
        parts.append({"source": name, "answered": reason is None, "reason": reason})
        return proposals


def _given(product_id: str | None) -> tuple[str, ...]:
    return () if product_id is None else (product_id,)
