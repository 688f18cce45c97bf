"""What rows are about: a viewed product, a category, the cart, purchases.

Each function narrows a request to products that follow from its subject.
"""

from collections.abc import Sequence
from dataclasses import replace

from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.rules.targets import category_key
from serving.recommendations.scoring import Seed, favourite_categories, history, seeds
from serving.recommendations.shelves.definition import Focus

NEWEST = 5
"""The number of newest products among which one with a name is looked for."""


async def newest_viewed(request: RecommendationRequest) -> Focus | None:
    """Return the product that the visitor viewed last, of those neither in the cart nor bought."""
    visitor = request.visitor
    return await _one_product(
        request,
        [each for each in visitor.viewed if each not in visitor.carted and each not in visitor.bought],
    )


async def newest_bought(request: RecommendationRequest) -> Focus | None:
    """Return the product that the visitor bought last."""
    return await _one_product(request, list(request.visitor.bought))


async def favourite_category(request: RecommendationRequest) -> Focus | None:
    """Return the category with the largest weight among the visitor's products."""
    cards = await request.cards.read([seed.product_id for seed in request.seeds])
    category_of = {product_id: card.category for product_id, card in cards.items()}
    favourites = list(favourite_categories(request.seeds, category_of, 1))
    if not favourites:
        return None
    own = [seed for seed in request.seeds if category_of.get(seed.product_id) == favourites[0]]
    narrowed = replace(request, seeds=own, history=[seed.product_id for seed in own])
    return Focus(narrowed, favourites[0].replace("_", " "))


async def cart_complements(request: RecommendationRequest) -> Focus | None:
    """Return the cart, and leave out the categories in it, because their products are substitutes.

    If no category in the cart is known, there is no focus: nothing tells substitutes apart.
    """
    carted = request.visitor.carted
    if not carted:
        return None
    cards = await request.cards.read(carted)
    categories = frozenset(
        category for card in cards.values() if (category := category_key(card.category)) is not None
    )
    if not categories:
        return None
    return Focus(
        replace(request, seeds=seeds({}, carted), history=history({}, carted, {}), substitutes=categories)
    )


async def purchases(request: RecommendationRequest) -> Focus | None:
    """Return everything that the visitor bought."""
    return Focus(request) if request.visitor.bought else None


async def whole_history(request: RecommendationRequest) -> Focus | None:
    """Return everything that the visitor did."""
    return Focus(request) if request.seeds else None


async def history_of_visits(request: RecommendationRequest) -> Focus | None:
    """Return everything that the visitor looked at or put into the cart.

    Viewed products are not left out: their price may have changed since.
    """
    if not request.seeds:
        return None
    return Focus(replace(request, excluded=request.unwanted.union(request.visitor.bought)))


async def sellers_followed(request: RecommendationRequest) -> Focus | None:
    """Return the sellers that the visitor follows, whose offers alone are wanted."""
    return Focus(replace(request, sellers=request.followed)) if request.followed else None


async def _one_product(request: RecommendationRequest, newest_first: Sequence[str]) -> Focus | None:
    cards = await request.cards.read(newest_first[:NEWEST])
    for product_id, card in cards.items():
        if card.name:
            narrowed = replace(request, seeds=[Seed(product_id, 1.0)], history=[product_id])
            return Focus(narrowed, card.name)
    return None
