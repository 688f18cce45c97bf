"""Runs the recommenders in turn, and applies the rules of the shop once to what they propose."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from common.configuration.values import SettingValues
from common.ids import new_id
from common.metrics import RECOMMENDATIONS
from serving.catalogue.cards import ProductCardLoader, open_cards
from serving.live_versions import LiveVersions
from serving.problems import UnknownProduct
from serving.recommendations.candidates import Candidates, collect, read_extras
from serving.recommendations.reasons import reason_of
from serving.recommendations.recommender import (
    ItemNeighbours,
    Popular,
    PopularInCategory,
    RecommendationRequest,
    Recommender,
)
from serving.recommendations.rules.checks import due_again
from serving.recommendations.rules.context import ActiveRules, RuleContext, without_places
from serving.recommendations.rules.draft import Placed
from serving.recommendations.rules.live_rules import Page
from serving.recommendations.rules.shop_rules import ShopRules, count_effects
from serving.recommendations.rules.step import RankedList, apply_rules, draws_of, wanted_extras
from serving.recommendations.schemas import Item, Reason, Recommendations, SimilarProducts
from serving.recommendations.scoring import Seed, seeds
from serving.recommendations.visitor_history import VisitorHistory, read_visitor_history

Context = Page

NO_HISTORY = VisitorHistory({}, {}, {}, None)


@dataclass(frozen=True, slots=True)
class RankedItems:
    """The recommended items, and the strategy of the first one that a recommender proposed.

    `sources` is product → the recommender that proposed it, or the rule that inserted it. `ranked` has the
    items in the same order, and what the rules of the shop did to the list.
    """

    items: list[Item]
    strategy: str
    sources: Mapping[str, str]
    ranked: RankedList


class RecommendationService:
    """Returns recommendations and similar products, all from Redis."""

    def __init__(
        self,
        versions: LiveVersions,
        recommenders: Sequence[Recommender] = (),
        rules: ShopRules | None = None,
    ) -> None:
        self.rules = rules or ShopRules(SettingValues())
        self._versions = versions
        self._redis = versions.redis
        self._recommenders = recommenders or (
            ItemNeighbours(self._redis),
            PopularInCategory(self._redis),
            Popular(versions),
        )

    async def recommend(
        self, visitor_id: str, n: int, context: Context, product_id: str | None, *, explain: bool = False
    ) -> Recommendations:
        """Return at most `n` products for a shopper or session; `explain` adds what the rules did.

        Raises:
            UnknownProduct: `product_id` was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards = await open_cards(self._versions)
        visitor = await read_visitor_history(self._redis, visitor_id, cards, product_id)
        seed = self.rules.seed_of(visitor_id)
        shown = await self._recommend(visitor, cards, n, context, product_id, seed, self.rules.of(context))
        RECOMMENDATIONS.labels(context, shown.strategy).inc()
        count_effects(shown.ranked.effects)
        answer: Recommendations = {
            "recommendation_id": new_id(),
            "strategy": shown.strategy,
            "as_of": visitor.as_of,
            "items": shown.items,
        }
        if explain:
            answer["rules"] = [effect._asdict() for effect in shown.ranked.effects]  # type: ignore[misc]
        return answer

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
        await cards.load([product_id] if product_id else [])
        return await self._recommend(NO_HISTORY, cards, n, context, product_id, "preview", rules)

    async def _recommend(
        self,
        visitor: VisitorHistory,
        cards: ProductCardLoader,
        n: int,
        context: Context,
        product_id: str | None,
        seed: str,
        rules: ActiveRules,
    ) -> RankedItems:
        viewed = {} if context == "cart" and visitor.carted else visitor.viewed
        page_product = cards.get(product_id) if product_id is not None else None
        if product_id is not None and page_product is None:
            raise UnknownProduct(product_id)
        due = due_again(visitor.bought, self.rules.now_s, rules)
        request = _request(visitor, seeds(viewed, visitor.carted, product_id), product_id, cards, due)
        unwanted = {*visitor.carted, *((product_id,) if product_id else ())}
        allowed = self.rules.context(rules, seed, page_product, request.excluded, unwanted, visitor.bought)
        return await self._show(request, n, self._recommenders, allowed)

    async def similar(self, product_id: str, n: int) -> SimilarProducts:
        """Return at most `n` products that go with this one, for any visitor.

        `Popular` is not used, because popular products are not related to this one. Nor has any product a
        place of its own: no pin, nothing sponsored, nothing drawn.

        Raises:
            UnknownProduct: the product was never listed.
            RedisUnavailable: Redis does not answer.
        """
        cards = await open_cards(self._versions)
        request = _request(NO_HISTORY, [Seed(product_id, 1.0)], product_id, cards)
        page_product = (await request.cards.read([product_id])).get(product_id)
        if page_product is None:
            raise UnknownProduct(product_id)
        recommenders = [each for each in self._recommenders if each.strategy != Popular.strategy]
        rules = without_places(self.rules.of("product"))
        context = self.rules.context(rules, product_id, page_product, request.excluded, request.excluded)
        shown = await self._show(request, n, recommenders, context)
        count_effects(shown.ranked.effects)
        return {"product_id": product_id, "strategy": shown.strategy, "items": shown.items}

    async def _show(
        self,
        request: RecommendationRequest,
        n: int,
        recommenders: Sequence[Recommender],
        context: RuleContext,
    ) -> RankedItems:
        found = await collect(request, n, recommenders, context)
        return await self._apply_rules(found, request, n, context, recommenders[-1].strategy)

    async def _apply_rules(
        self,
        found: Candidates,
        request: RecommendationRequest,
        n: int,
        context: RuleContext,
        last_strategy: str,
    ) -> RankedItems:
        draws = draws_of(context, n, is_empty=found.passing == 0)
        extras = await read_extras(wanted_extras(context, draws, n), request.cards, context)
        ranked = apply_rules(found.ranked, extras, draws, context, n)
        sources = [each.candidate.source for each in ranked.items if each.candidate.rank is not None]
        return RankedItems(
            [_item(each, reason_of(each, found.proposals, request)) for each in ranked.items],
            sources[0] if sources else last_strategy,
            {each.candidate.product_id: each.candidate.source or each.rule or "" for each in ranked.items},
            ranked,
        )


def _request(
    visitor: VisitorHistory,
    weighted: list[Seed],
    anchor: str | None,
    cards: ProductCardLoader,
    due: Set[str] = frozenset(),
) -> RecommendationRequest:
    """Return the request to recommenders. `due` are purchases that a rule may show again."""
    excluded = {*visitor.viewed, *visitor.bought} - due | {*visitor.carted, *((anchor,) if anchor else ())}
    return RecommendationRequest(visitor, weighted, anchor, frozenset(excluded), cards)


def _item(placed: Placed, reason: Reason) -> Item:
    card = placed.candidate.card
    assert card is not None, "the rules remove products without an offer"
    return {
        "product_id": card.product_id,
        "seller_id": card.seller_id,
        "name": card.name,
        "category": card.category,
        "price_minor": card.price_minor,
        "currency": card.currency,
        "score": round(placed.candidate.score, 6),
        "sponsored": placed.sponsored,
        "reason": reason,
    }
