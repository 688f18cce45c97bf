"""Builds the request to recommenders, and what the rules of the shop know of it, from what a visitor did."""

from collections.abc import Collection, Set

from serving.kit.offers import Offer
from serving.kit.problems import UNKNOWN_PRODUCT
from serving.kit.product_cards import ProductCardLoader
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.rules.checks import due_again
from serving.recommendations.rules.context import ActiveRules, RuleContext
from serving.recommendations.rules.shop_rules import Page, ShopRules
from serving.recommendations.scoring import history, seeds
from serving.recommendations.trained_models import ModelInUse
from serving.recommendations.visitor_history import VisitorHistory

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
