"""Builds the request to recommenders, and what the rules of the shop know of it, from what a visitor did."""

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass, replace
from datetime import datetime

from common.experiments.assignment import HOLDOUT, Assignment
from serving.kit.live_versions import LiveVersions
from serving.kit.offers import Offer
from serving.kit.problems import UNKNOWN_PRODUCT, RedisUnavailable
from serving.kit.product_cards import ProductCardLoader, open_cards
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.rules.checks import due_again
from serving.recommendations.rules.context import ActiveRules, RuleContext
from serving.recommendations.rules.shop_rules import Page, ShopRules
from serving.recommendations.scoring import history, seeds
from serving.recommendations.trained_models import ModelInUse, TrainedModels
from serving.recommendations.visitor_history import VisitorHistory, read_visitor_history, with_cart

NO_HISTORY = VisitorHistory({}, {}, {}, None)


def build_request(
    shop_rules: ShopRules,
    visitor: VisitorHistory,
    cards: ProductCardLoader,
    context: Page,
    product_id: str | None,
    shown: Collection[str],
    model: ModelInUse,
    rules: ActiveRules,
    seed: str,
) -> tuple[RecommendationRequest, RuleContext]:
    """Return the request of a visitor on a page, and what the rules know of it.

    Raises:
        UNKNOWN_PRODUCT: `product_id` was never listed.
    """
    product = page_product(cards, product_id) if product_id is not None else None
    is_cart = context == "cart" and bool(visitor.carted)
    viewed, bought = ({}, {}) if is_cart else (visitor.viewed, visitor.bought)
    due: Set[str] = due_again(visitor.bought, shop_rules.now_s, rules)
    unwanted = frozenset((*visitor.carted, *given(product_id), *shown))
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
    return request, shop_rules.context(rules, seed, product, excluded, unwanted, visitor.bought)


async def read_request(
    versions: LiveVersions,
    models: TrainedModels,
    shop_rules: ShopRules,
    visitor_id: str,
    context: Page,
    rules: ActiveRules,
    now_s: float,
    product_id: str | None = None,
    shown: Collection[str] = (),
    cart: Collection[str] | None = None,
) -> tuple[RecommendationRequest, RuleContext]:
    """Read what a shopper or session did, and return its request and what the rules know of it.

    `cart` are the products in the cart of the visitor's browser at `now_s` (Unix seconds); None if only the
    events tell.

    Raises:
        UNKNOWN_PRODUCT: `product_id` was never listed.
        RedisUnavailable: Redis does not answer.
    """
    cards = await open_cards(versions)
    visitor, reply = await read_visitor_history(versions.redis, visitor_id, cards, product_id, models)
    if cart is not None:
        visitor = with_cart(visitor, cart, now_s)
    model = await models.in_use(reply, cards.prefix)
    seed = shop_rules.seed_of(visitor_id, context, product_id)
    return build_request(shop_rules, visitor, cards, context, product_id, shown, model, rules, seed)


def page_product(cards: ProductCardLoader, product_id: str) -> Offer:
    """Return the card of the product of a page.

    Raises:
        UNKNOWN_PRODUCT: it was never listed.
    """
    card = cards.get(product_id)
    if card is None:
        raise UNKNOWN_PRODUCT(product_id=product_id)
    return card


def given(product_id: str | None) -> tuple[str, ...]:
    """Return a product id in a tuple, or an empty one."""
    return () if product_id is None else (product_id,)


@dataclass(frozen=True, slots=True)
class KnownVisitor:
    """A visitor with a history: the request to the sources, and what the rules of the shop know of it.

    No product is left out, also not those that the visitor has viewed, carted or bought.
    """

    request: RecommendationRequest
    allowed: RuleContext
    as_of: datetime | None


class KnownVisitors:
    """Reads the histories of visitors. `assigned` returns the experiment of a visitor."""

    def __init__(
        self,
        versions: LiveVersions,
        models: TrainedModels,
        rules: ShopRules,
        assigned: Callable[[str, Page], Assignment],
    ) -> None:
        self._versions, self._models, self._rules, self._assigned = versions, models, rules, assigned

    async def of(self, visitor_id: str, cart: Collection[str] | None = None) -> KnownVisitor | None:
        """Return what is known of a shopper or session.

        `cart` are the products in the cart of the visitor's browser; None if only the events tell.

        None if there is no history, if Redis does not answer, and for the hold-out, which gets what everybody
        gets.
        """
        if self._assigned(visitor_id, "home").experiment == HOLDOUT:
            return None
        rules, now_s = self._rules.of("home"), self._rules.now_s
        try:
            request, allowed = await read_request(
                self._versions, self._models, self._rules, visitor_id, "home", rules, now_s, cart=cart
            )
        except RedisUnavailable:
            return None
        if not request.history:
            return None
        return KnownVisitor(
            replace(request, excluded=frozenset(), unwanted=frozenset()), allowed, request.visitor.as_of
        )
