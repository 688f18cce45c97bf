"""Blends the recommenders of a strategy, and applies the rules of the shop once to what they propose."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

from common.clock import Clock, system_clock
from common.configuration.values import SettingValues
from common.experiments.assignment import Assignment
from common.experiments.definition import DEFAULT_STRATEGY, StrategyName
from common.ids import new_id
from common.metrics import RECOMMENDATIONS, STRATEGY_FALLBACKS
from common.timeouts import PEER_TIMEOUT_S
from serving.kit.live_versions import LiveVersions
from serving.kit.polled import PolledValue
from serving.kit.problems import RedisUnavailable
from serving.kit.product_cards import ProductCardLoader, open_cards
from serving.kit.redis_client import run_redis
from serving.recommendations.answer_log import Answer, AnswerLog, ms_since
from serving.recommendations.bought_before import BoughtBefore
from serving.recommendations.listings import PersonalListings
from serving.recommendations.product_cache import InterestCache, ProductContents
from serving.recommendations.ranker import RankedItems, Ranker, count_list, count_sources, random_list
from serving.recommendations.recent_offers import NewFromFollowed, RecentOffers, SinceLastVisit
from serving.recommendations.recommender import (
    CategoryRankings,
    ItemNeighbours,
    NeighbourCache,
    Popular,
    PopularInCategory,
    RecommendationRequest,
    Recommender,
)
from serving.recommendations.request_builder import (
    NO_HISTORY,
    KnownVisitors,
    build_request,
    given,
    page_product,
    read_request,
)
from serving.recommendations.rules.context import ActiveRules, without_places
from serving.recommendations.rules.shop_rules import Page, ShopRules, count_effects
from serving.recommendations.schemas import AskedSource, Item, Recommendations, SimilarProducts
from serving.recommendations.scoring import Seed
from serving.recommendations.sellers_to_follow import SellersToFollowService
from serving.recommendations.shelves import TitledRowsService
from serving.recommendations.similar_attributes import SimilarAttributes
from serving.recommendations.strategies import STRATEGIES, Strategy, StrategyChoice
from serving.recommendations.trained_models import ModelInUse, TrainedModels
from serving.recommendations.trained_neighbours import ModelRows, NeighboursOfModel

READ_EVERY_S = 10.0
READ_ITEMS = 50
"""The number of products that are kept: the longest list that can be asked for."""

MAX_AGE = timedelta(minutes=15)
"""Older products are not shown: their prices and their stock may have changed."""


@dataclass(frozen=True, slots=True)
class PopularItems:
    """Popular products that the rules of the shop allow for anybody, and when they were read."""

    read_at: datetime
    items: Sequence[Item]


def polled_popular_items(
    read: Callable[[int], Awaitable[Sequence[Item]]], clock: Clock
) -> PolledValue[PopularItems | None]:
    """Return the popular products, read again and again by `read`, which takes their number."""

    async def read_now() -> PopularItems | None:
        return PopularItems(clock(), await read(READ_ITEMS))

    return PolledValue("popular products", None, read_now, READ_EVERY_S, PEER_TIMEOUT_S)


def answer_without_redis(
    last: PopularItems | None, n: int, left_out: Collection[str], now: datetime
) -> Recommendations | None:
    """Return at most `n` of the products that were read last; None if there are none, or only old ones.

    Nothing is known of the visitor, and whether a product was sold since: the checkout checks it.
    """
    items = [] if last is None or now - last.read_at > MAX_AGE else last.items
    shown = [item for item in items if item["product_id"] not in left_out][:n]
    if not shown:
        return None
    parts: list[AskedSource] = [
        {"source": name, "answered": known, "reason": None if known else "no_redis"}
        for name in dict.fromkeys(STRATEGIES["blend"].sources)
        for known in (name == Popular.strategy,)
    ]
    return {
        "recommendation_id": new_id(),
        "strategy": "popular",
        "model_version": None,
        "experiment": None,
        "variant": None,
        "as_of": None,
        "parts": parts,
        "items": shown,
    }


Context = Page


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
        co_visits, rankings = NeighbourCache(self._redis), CategoryRankings(self._redis)
        contents = ProductContents(self._redis)
        every = recommenders or (
            ItemNeighbours(co_visits),
            NeighboursOfModel(self._models, rows, "trained_neighbours", "similar", "trained"),
            NeighboursOfModel(self._models, rows, "similar_content", "content", "content"),
            SimilarAttributes(self._redis, co_visits, rankings, contents),
            PopularInCategory(rankings, contents),
            Popular(versions),
            BoughtBefore(self.rules.days_until_again),
            SinceLastVisit(recent, clock),
            NewFromFollowed(recent),
        )
        interest = InterestCache(self._redis)
        self._ranker = Ranker(every, interest)
        sources = {each.strategy: each for each in every}
        visitors = KnownVisitors(versions, self._models, self.rules, self._assigned)
        self.listings = PersonalListings(visitors, sources, interest)
        self.sellers = SellersToFollowService(visitors, sources)
        self.titled_rows = TitledRowsService(
            versions, self._models, self._ranker, self.rules, self._assigned, log, clock
        )
        self.last_popular = polled_popular_items(self.popular_items, clock)

    async def recommend(
        self,
        visitor_id: str,
        n: int,
        context: Context,
        product_id: str | None,
        shown: Collection[str] = (),
        *,
        cart: Collection[str] | None = None,
        explain: bool = False,
    ) -> Recommendations:
        """Return at most `n` products for a shopper or session, without those that are `shown` already.

        `cart` are the products in the cart of the visitor's browser; None if only the events tell. `explain`
        adds what the rules did.

        While Redis does not answer, these are the popular products that were read last.

        Raises:
            UNKNOWN_PRODUCT: `product_id` was never listed.
            RedisUnavailable: Redis does not answer, and no popular products were read in the last minutes.
        """
        started = perf_counter()
        try:
            return await self._recommend(
                visitor_id, n, context, product_id, shown, started, cart=cart, explain=explain
            )
        except RedisUnavailable:
            answer = answer_without_redis(
                self.last_popular.value, n, {*shown, *given(product_id)}, self._clock()
            )
            if answer is None:
                raise
            RECOMMENDATIONS.labels(context, answer["strategy"]).inc()
            count_sources(answer["parts"])
            if self._log is not None:  # the visitor counts in their arm, whatever answered them
                self._log.put(
                    Answer(
                        recommendation_id=answer["recommendation_id"],
                        answered_at=self._clock(),
                        visitor_id=visitor_id,
                        surface=context,
                        anchor_product_id=product_id,
                        assignment=self._assigned(visitor_id, context),
                        strategy=answer["strategy"],
                        model_version=None,
                        seeds=(),
                        items=answer["items"],
                        propensities=[1.0] * len(answer["items"]),
                        alternatives={},
                        answer_ms=ms_since(started),
                        parts=answer["parts"],
                    )
                )
            return answer

    async def _recommend(
        self,
        visitor_id: str,
        n: int,
        context: Context,
        product_id: str | None,
        shown: Collection[str],
        started: float,
        *,
        cart: Collection[str] | None,
        explain: bool,
    ) -> Recommendations:
        request, allowed = await read_request(
            self._versions,
            self._models,
            self.rules,
            visitor_id,
            context,
            self.rules.of(context),
            self._clock().timestamp(),
            product_id,
            shown,
            cart,
        )
        assignment = self._assigned(visitor_id, context)
        strategy = self._offered(assignment.strategy)
        found = None
        if self._choice is not None and self._choice.explores(assignment):
            found = await random_list(
                self._ranker, self._strategies, request, n, context, allowed, self._choice.shuffled
            )
        found = found or await self._ranker.rank(request, n, context, self._strategies[strategy], allowed)
        count_list(context, strategy, found)
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
                    answer_ms=ms_since(started),
                    parts=found.parts,
                )
            )
        answer: Recommendations = {
            "recommendation_id": recommendation_id,
            "strategy": strategy,
            "model_version": found.model_version,
            "experiment": assignment.experiment,
            "variant": assignment.arm,
            "as_of": request.visitor.as_of,
            "parts": found.parts,
            "items": found.items,
        }
        if explain:
            answer["rules"] = [effect._asdict() for effect in found.ranked.effects]  # type: ignore[misc]
        return answer

    async def preview(
        self, n: int, context: Context, product_id: str | None, rules: ActiveRules
    ) -> RankedItems:
        """Return what a visitor without a history would see under these rules. Nothing is counted.

        The draws for exposure are the same each time, so that two previews differ by their rules alone.

        Raises:
            UNKNOWN_PRODUCT: `product_id` was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards, model = await self._cards_and_model(product_id)
        request, allowed = build_request(
            self.rules, NO_HISTORY, cards, context, product_id, (), model, rules, "preview"
        )
        return await self._ranker.rank(request, n, context, self._strategies[DEFAULT_STRATEGY], allowed)

    async def popular_items(self, n: int) -> Sequence[Item]:
        """Return at most `n` popular products that the rules of the home page allow for anybody.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        cards, model = await self._cards_and_model(None)
        rules = without_places(self.rules.of("home"))
        request, allowed = build_request(
            self.rules, NO_HISTORY, cards, "home", None, (), model, rules, "popular"
        )
        return (await self._ranker.rank(request, n, "home", self._strategies["popular"], allowed)).items

    async def similar(self, product_id: str, n: int) -> SimilarProducts:
        """Return at most `n` products that go with this one, for any visitor.

        `Popular` is not used, because popular products are not related to this one.

        Raises:
            UNKNOWN_PRODUCT: the product was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards, model = await self._cards_and_model(product_id)
        product = page_product(cards, product_id)
        excluded = frozenset((product_id,))
        request = RecommendationRequest(
            NO_HISTORY, [Seed(product_id, 1.0)], product_id, excluded, cards, [product_id], model
        )
        rules = without_places(self.rules.of("product"))
        allowed = self.rules.context(rules, product_id, product, excluded, excluded)
        # What is popular in the category only fills up: it goes with the category, not with the product.
        whole = self._strategies[DEFAULT_STRATEGY]
        related = Strategy(
            tuple(each for each in whole.blended if each not in whole.fallbacks),
            tuple(each for each in whole.fallbacks if each != Popular.strategy),
            until_supported=whole.until_supported,
        )
        found = await self._ranker.rank(request, n, "product", related, allowed)
        count_sources(found.parts)
        count_effects(found.ranked.effects)
        return {
            "product_id": product_id,
            "strategy": "similar_products",
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

    async def _cards_and_model(self, product_id: str | None) -> tuple[ProductCardLoader, ModelInUse]:
        """Return a loader that has the card of a product, and the model in use. One round trip reads both."""
        cards = await open_cards(self._versions)
        pipeline: Any = self._redis.pipeline(transaction=False)
        self._models.queue(pipeline)
        missing = cards.queue(pipeline, given(product_id))
        reply, *replies = await run_redis(pipeline.execute())
        cards.store(missing, replies)
        return cards, await self._models.in_use(reply, cards.prefix)
