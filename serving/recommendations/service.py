"""Blends the recommenders of a strategy, and applies the rules of the shop once to what they propose."""

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from typing import Any

from common.clock import Clock, system_clock
from common.configuration.values import SettingValues
from common.experiments.assignment import HOLDOUT, Assignment
from common.experiments.definition import DEFAULT_STRATEGY, StrategyName
from common.ids import new_id
from common.metrics import RECOMMENDATION_SOURCES, RECOMMENDATIONS, STRATEGY_FALLBACKS
from serving.catalogue.cards import ProductCardLoader, open_cards
from serving.catalogue.offers import Offer
from serving.live_versions import LiveVersions
from serving.problems import RedisUnavailable, UnknownProduct
from serving.recommendations.answer_log import Answer, AnswerLog
from serving.recommendations.bought_before import BoughtBefore
from serving.recommendations.exploration import random_list
from serving.recommendations.interest import InterestCache
from serving.recommendations.last_popular import answer_without_redis, polled_popular_items
from serving.recommendations.model_rows import ModelRows
from serving.recommendations.ranker import RankedItems, Ranker
from serving.recommendations.recent_offers import RecentOffers, SinceLastVisit
from serving.recommendations.recommender import (
    ItemNeighbours,
    Popular,
    PopularInCategory,
    RecommendationRequest,
    Recommender,
)
from serving.recommendations.rows.definition import RowPage
from serving.recommendations.rows.definitions import ROWS, RULES_OF
from serving.recommendations.rows.ranking import RankedRow, ranked_rows
from serving.recommendations.rules.checks import due_again
from serving.recommendations.rules.context import ActiveRules, RuleContext, without_places
from serving.recommendations.rules.live_rules import Page
from serving.recommendations.rules.shop_rules import ShopRules, count_effects
from serving.recommendations.schemas import (
    AskedSource,
    Item,
    Recommendations,
    SimilarProducts,
    TitledRow,
    TitledRows,
)
from serving.recommendations.scoring import Seed, history, seeds
from serving.recommendations.strategies import STRATEGIES, Strategy
from serving.recommendations.strategy_choice import StrategyChoice
from serving.recommendations.trained_models import ModelInUse, TrainedModels
from serving.recommendations.trained_neighbours import SimilarContent, TrainedNeighbours
from serving.recommendations.visitor_history import VisitorHistory, read_visitor_history
from serving.redis_client import run_redis

Context = Page

NO_HISTORY = VisitorHistory({}, {}, {}, None)


class RecommendationService:
    """Returns recommendations and similar products, all from Redis.

    Without a `choice`, every visitor gets the default strategy. Without a `log`, answers are not logged.
    """

    def __init__(
        self,
        versions: LiveVersions,
        recommenders: Sequence[Recommender] = (),
        strategies: Mapping[StrategyName, Strategy] = STRATEGIES,
        rules: ShopRules | None = None,
        choice: StrategyChoice | None = None,
        log: AnswerLog | None = None,
        recent: Callable[[], RecentOffers] = RecentOffers,
        clock: Clock = system_clock,
    ) -> None:
        self._choice, self._log, self._clock = choice, log, clock
        self.rules = rules or ShopRules(SettingValues())
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
            BoughtBefore(),
            SinceLastVisit(recent, clock),
        )
        self._ranker = Ranker(every, InterestCache(self._redis))
        self.last_popular = polled_popular_items(self.popular_items, clock)

    async def recommend(
        self,
        visitor_id: str,
        n: int,
        context: Context,
        product_id: str | None,
        shown: Collection[str] = (),
        *,
        explain: bool = False,
    ) -> Recommendations:
        """Return at most `n` products for a shopper or session, without those that are `shown` already.

        `explain` adds what the rules did.

        While Redis does not answer, these are the popular products that were read last.

        Raises:
            UnknownProduct: `product_id` was never listed.
            RedisUnavailable: Redis does not answer, and no popular products were read in the last minutes.
        """
        try:
            return await self._recommend(visitor_id, n, context, product_id, shown, explain=explain)
        except RedisUnavailable:
            left_out = {*shown, *_given(product_id)}
            answer = answer_without_redis(self.last_popular.value, n, left_out, self._clock())
            if answer is None:
                raise
            RECOMMENDATIONS.labels(context, answer["strategy"]).inc()
            _count_sources(answer["parts"])
            return answer

    async def _recommend(
        self,
        visitor_id: str,
        n: int,
        context: Context,
        product_id: str | None,
        shown: Collection[str],
        *,
        explain: bool,
    ) -> Recommendations:
        cards = await open_cards(self._versions)
        visitor, reply = await read_visitor_history(self._redis, visitor_id, cards, product_id, self._models)
        model = await self._models.in_use(reply, cards.prefix)
        rules, seed = self.rules.of(context), self.rules.seed_of(visitor_id)
        request, allowed = self._request(visitor, cards, context, product_id, shown, model, rules, seed)
        assignment = self._assigned(visitor_id, context)
        strategy = self._offered(assignment.strategy)
        found = None
        if self._choice is not None and self._choice.explores(assignment):
            shuffled = self._choice.shuffled
            found = await random_list(self._ranker, self._strategies, request, n, context, allowed, shuffled)
        found = found or await self._ranker.rank(request, n, context, self._strategies[strategy], allowed)
        RECOMMENDATIONS.labels(context, strategy).inc()
        _count_sources(found.parts)
        count_effects(found.ranked.effects)
        recommendation_id = new_id()
        if self._log is not None:
            self._log.put(
                Answer(
                    recommendation_id=recommendation_id,
                    answered_at=self._clock(),
                    visitor_id=visitor_id,
                    surface=context,
                    anchor_product_id=product_id,
                    assignment=assignment,
                    strategy=strategy,
                    model_version=found.model_version,
                    seeds=request.seeds,
                    items=found.items,
                    propensities=[
                        found.propensity if each.propensity is None else each.propensity
                        for each in found.ranked.items
                    ],
                    alternatives=found.alternatives,
                )
            )
        answer: Recommendations = {
            "recommendation_id": recommendation_id,
            "strategy": strategy,
            "model_version": found.model_version,
            "experiment": assignment.experiment,
            "variant": assignment.arm,
            "as_of": visitor.as_of,
            "parts": found.parts,
            "items": found.items,
        }
        if explain:
            answer["rules"] = [effect._asdict() for effect in found.ranked.effects]  # type: ignore[misc]
        return answer

    async def rows(self, visitor_id: str, n: int, page: RowPage, shown: Collection[str] = ()) -> TitledRows:
        """Return the titled rows of a page, each with at most `n` products, none of them twice or `shown`.

        The hold-out gets none, because it gets popular products alone.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        surface = RULES_OF[page]
        cards = await open_cards(self._versions)
        visitor, reply = await read_visitor_history(self._redis, visitor_id, cards, None, self._models)
        if self._assigned(visitor_id, surface).experiment == HOLDOUT:
            return {"page": page, "as_of": visitor.as_of, "rows": []}
        model = await self._models.in_use(reply, cards.prefix)
        # Each row narrows the history itself, so none is left out here, as `surface` of a cart would do.
        rules, seed = self.rules.of(surface), self.rules.seed_of(visitor_id)
        request, allowed = self._request(visitor, cards, "home", None, shown, model, rules, seed)
        rows = await ranked_rows(self._ranker, ROWS[page], request, n, surface, allowed)
        answers: list[TitledRow] = []
        for row in rows:
            RECOMMENDATIONS.labels(page, row.definition.name).inc()
            _count_sources(row.found.parts)
            count_effects(row.found.ranked.effects)
            answers.append(
                {
                    "row": row.definition.name,
                    "title": row.title,
                    "name": row.focus.name,
                    "recommendation_id": new_id(),
                    "strategy": row.definition.name,
                    "model_version": row.found.model_version,
                    "parts": row.found.parts,
                    "items": row.found.items,
                }
            )
            self._log_row(visitor_id, page, row, answers[-1]["recommendation_id"])
        return {"page": page, "as_of": visitor.as_of, "rows": answers}

    def _log_row(self, visitor_id: str, page: RowPage, row: RankedRow, recommendation_id: str) -> None:
        if self._log is None:
            return
        self._log.put(
            Answer(
                recommendation_id=recommendation_id,
                answered_at=self._clock(),
                visitor_id=visitor_id,
                surface=page,
                anchor_product_id=None,
                assignment=Assignment(None, None, row.definition.name, 1.0),
                strategy=row.definition.name,
                model_version=row.found.model_version,
                seeds=row.focus.request.seeds,
                items=row.found.items,
                propensities=[1.0] * len(row.found.items),
                alternatives={},
            )
        )

    async def preview(
        self, n: int, context: Context, product_id: str | None, rules: ActiveRules
    ) -> RankedItems:
        """Return what a visitor without a history would see under these rules. Nothing is counted.

        The draws for exposure are the same each time, so that two previews differ by their rules alone.

        Raises:
            UnknownProduct: `product_id` was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards = await open_cards(self._versions)
        model = await self._model_and_card(cards, product_id)
        request, allowed = self._request(NO_HISTORY, cards, context, product_id, (), model, rules, "preview")
        return await self._ranker.rank(request, n, context, self._strategies[DEFAULT_STRATEGY], allowed)

    async def popular_items(self, n: int) -> Sequence[Item]:
        """Return at most `n` popular products that the rules of the home page allow for anybody.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        cards = await open_cards(self._versions)
        model = await self._model_and_card(cards, None)
        rules = without_places(self.rules.of("home"))
        request, allowed = self._request(NO_HISTORY, cards, "home", None, (), model, rules, "popular")
        return (await self._ranker.rank(request, n, "home", self._strategies["popular"], allowed)).items

    async def similar(self, product_id: str, n: int) -> SimilarProducts:
        """Return at most `n` products that go with this one, for any visitor.

        `Popular` is not used, because popular products are not related to this one.

        Raises:
            UnknownProduct: the product was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards = await open_cards(self._versions)
        model = await self._model_and_card(cards, product_id)
        page_product = _page_product(cards, product_id)
        excluded = frozenset((product_id,))
        request = RecommendationRequest(
            NO_HISTORY, [Seed(product_id, 1.0)], product_id, excluded, cards, [product_id], model
        )
        rules = without_places(self.rules.of("product"))
        allowed = self.rules.context(rules, product_id, page_product, excluded, excluded)
        whole = self._strategies[DEFAULT_STRATEGY]
        related = Strategy(whole.blended, tuple(each for each in whole.fallbacks if each != Popular.strategy))
        found = await self._ranker.rank(request, n, "product", related, allowed)
        _count_sources(found.parts)
        count_effects(found.ranked.effects)
        return {
            "product_id": product_id,
            "strategy": DEFAULT_STRATEGY,
            "model_version": found.model_version,
            "items": found.items,
        }

    def _assigned(self, visitor_id: str, context: Context) -> Assignment:
        if self._choice is None:
            return Assignment(None, None, DEFAULT_STRATEGY, 1.0)
        return self._choice.strategy_for(visitor_id, context)

    def _offered(self, strategy: str) -> StrategyName:
        """Return the strategy, or the default one if this process does not offer it."""
        for name in self._strategies:
            if name == strategy:
                return name
        STRATEGY_FALLBACKS.labels(strategy).inc()
        return DEFAULT_STRATEGY

    async def _model_and_card(self, cards: ProductCardLoader, product_id: str | None) -> ModelInUse:
        """Return the model in use. The same round trip reads the card of a product."""
        pipeline: Any = self._redis.pipeline(transaction=False)
        self._models.queue(pipeline)
        missing = cards.queue(pipeline, _given(product_id))
        reply, *replies = await run_redis(pipeline.execute())
        cards.store(missing, replies)
        return await self._models.in_use(reply, cards.prefix)

    def _request(
        self,
        visitor: VisitorHistory,
        cards: ProductCardLoader,
        context: Context,
        product_id: str | None,
        shown: Collection[str],
        model: ModelInUse,
        rules: ActiveRules,
        seed: str,
    ) -> tuple[RecommendationRequest, RuleContext]:
        """Return the request to recommenders, and what the rules know of it."""
        page_product = _page_product(cards, product_id) if product_id is not None else None
        is_cart = context == "cart" and bool(visitor.carted)
        viewed, bought = ({}, {}) if is_cart else (visitor.viewed, visitor.bought)
        due: Set[str] = due_again(visitor.bought, self.rules.now_s, rules)
        unwanted = frozenset((*visitor.carted, *_given(product_id), *shown))
        excluded = unwanted | ({*visitor.viewed, *visitor.bought} - due)
        request = RecommendationRequest(
            visitor,
            seeds(viewed, visitor.carted, product_id),
            product_id,
            excluded,
            cards,
            history(viewed, visitor.carted, bought, product_id),
            model,
            unwanted=unwanted,
        )
        return request, self.rules.context(rules, seed, page_product, excluded, unwanted, visitor.bought)


def _count_sources(parts: Sequence[AskedSource]) -> None:
    """Count what each source did, once for an answer that somebody gets."""
    for part in parts:
        RECOMMENDATION_SOURCES.labels(part["source"], part["reason"] or "answered").inc()


def _page_product(cards: ProductCardLoader, product_id: str) -> Offer:
    card = cards.get(product_id)
    if card is None:
        raise UnknownProduct(product_id)
    return card


def _given(product_id: str | None) -> tuple[str, ...]:
    return () if product_id is None else (product_id,)
