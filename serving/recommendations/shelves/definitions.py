"""The titled rows of each page, in the order in which they are shown."""

from collections.abc import Mapping, Sequence

from schemas.published_model.weights import NEIGHBOUR_SOURCES
from serving.recommendations.bought_before import BoughtBefore
from serving.recommendations.recent_offers import NewFromFollowed, SinceLastVisit
from serving.recommendations.recommender import PopularInCategory
from serving.recommendations.rules.live_rules import Page
from serving.recommendations.shelves.definition import RowDefinition, RowPage
from serving.recommendations.shelves.focuses import (
    cart_complements,
    favourite_category,
    history_of_visits,
    newest_bought,
    newest_viewed,
    purchases,
    sellers_followed,
    whole_history,
)
from serving.recommendations.strategies import Strategy

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
