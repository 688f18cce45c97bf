"""The rows of products on a page: what each is about, and how it is made."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from schemas.published_model.weights import NEIGHBOUR_SOURCES
from serving.recommendations.bought_before import BoughtBefore
from serving.recommendations.recent_offers import NewFromFollowed, SinceLastVisit
from serving.recommendations.recommender import PopularInCategory, RecommendationRequest
from serving.recommendations.rules.context import category_key
from serving.recommendations.rules.shop_rules import Page
from serving.recommendations.scoring import Seed, favourite_categories, history, seeds
from serving.recommendations.strategies import Strategy

RowPage = Literal["home", "cart", "order", "email"]
"""What shows titled rows: a page (`order` is that of an order, after the purchase), or a mail."""


@dataclass(frozen=True, slots=True)
class Focus:
    """What a row is about.

    `request` asks only for products that follow from it, so the title is true for each of them. `name` is
    that of the product or category in the title; None if the title names none.
    """

    request: RecommendationRequest
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RowDefinition:
    """A titled row. A row with less than `shortest` products is left out.

    `title` has a place for the focus's name, such as "Popular in %(name)s". `focus` returns None if the
    visitor's history has nothing that the row could be about. `name` is the strategy in the events of the
    row, so its clicks and purchases are counted apart from those of other lists.
    """

    name: str
    title: str
    focus: Callable[[RecommendationRequest], Awaitable[Focus | None]]
    strategy: Strategy
    shortest: int = 3


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
            return Focus(replace(request, seeds=[Seed(product_id, 1.0)], history=[product_id]), card.name)
    return None


GOES_WITH = Strategy(NEIGHBOUR_SOURCES, ())
TOGETHER = Strategy(("item_neighbours", "trained_neighbours"), ())
"""Without `similar_content`, which proposes products that are alike, as substitutes are."""

AGAIN = RowDefinition("buy_again", "Buy again", purchases, Strategy((), (BoughtBefore.strategy,)), shortest=1)
SINCE = RowDefinition(
    "since_last_visit",
    "Since your last visit",
    history_of_visits,
    Strategy((), (SinceLastVisit.strategy,)),
    shortest=1,
)
FOLLOWED = RowDefinition(
    "new_from_followed",
    "New from sellers you follow",
    sellers_followed,
    Strategy((), (NewFromFollowed.strategy,)),
    shortest=1,
)
LOOKED = RowDefinition("because_looked", "Because you looked at %(name)s", newest_viewed, GOES_WITH)
POPULAR = RowDefinition(
    "popular_in_favourite",
    "Popular in %(name)s",
    favourite_category,
    Strategy((), (PopularInCategory.strategy,)),
)
COMPLETES = RowDefinition("completes_cart", "Completes your cart", cart_complements, TOGETHER, shortest=1)
BOUGHT = RowDefinition("because_bought", "Because you bought %(name)s", newest_bought, GOES_WITH)

FOR_YOU = RowDefinition("for_you", "Chosen for you", whole_history, GOES_WITH)

ROWS: Mapping[RowPage, Sequence[RowDefinition]] = {
    "home": (AGAIN, FOLLOWED, SINCE, LOOKED, POPULAR),
    "cart": (COMPLETES, AGAIN),
    "order": (BOUGHT, AGAIN),
    "email": (AGAIN, SINCE, LOOKED, FOR_YOU, POPULAR),
}
"""Page → its rows. An earlier row takes a product first; no later one shows it again."""

RULES_OF: Mapping[RowPage, Page] = {
    "home": "home",
    "cart": "cart",
    "order": "cart",
    "email": "home",
}
"""Page → the page whose rules of the shop its rows have."""
