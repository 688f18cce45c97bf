"""The titled rows of products on a page: what each is about, how it is made, and the answers to requests."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

from common.clock import Clock
from common.experiments.assignment import HOLDOUT, Assignment
from common.ids import new_id
from schemas.published_model.weights import NEIGHBOUR_SOURCES
from serving.kit.live_versions import LiveVersions
from serving.kit.product_cards import open_cards
from serving.recommendations.answer_log import Answer, AnswerLog, ms_since
from serving.recommendations.bought_before import BoughtBefore
from serving.recommendations.ranker import RankedItems, Ranker, count_list
from serving.recommendations.recent_offers import NewFromFollowed, SinceLastVisit
from serving.recommendations.recommender import PopularInCategory, RecommendationRequest
from serving.recommendations.request_builder import build_request
from serving.recommendations.rules.context import ExposurePool, RuleContext, category_key, without_places
from serving.recommendations.rules.shop_rules import Page, ShopRules
from serving.recommendations.schemas import TitledRow, TitledRows
from serving.recommendations.scoring import Seed, favourite_categories, history, seeds
from serving.recommendations.strategies import UNTIL_SUPPORTED, Strategy
from serving.recommendations.trained_models import TrainedModels
from serving.recommendations.visitor_history import read_visitor_history, with_cart

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
    """Return the product that the visitor bought last; None while that order is not confirmed."""
    visitor = request.visitor
    if not visitor.bought or not visitor.has_paid(next(iter(visitor.bought))):
        return None
    return await _one_product(request, [each for each in visitor.bought if visitor.has_paid(each)])


async def newest_ordered(request: RecommendationRequest) -> Focus | None:
    """Return the product that the visitor ordered last, while that order is not confirmed.

    Its payment may still be declined.
    """
    visitor = request.visitor
    if not visitor.bought or visitor.has_paid(next(iter(visitor.bought))):
        return None
    return await _one_product(request, [each for each in visitor.bought if not visitor.has_paid(each)])


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


GOES_WITH = Strategy(NEIGHBOUR_SOURCES, (), until_supported=UNTIL_SUPPORTED)
"""What goes with a product, which few may have seen."""

TOGETHER = Strategy(("item_neighbours", "trained_neighbours"), ())
"""Without the sources that propose products which are alike, as substitutes are."""

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
ORDERED = RowDefinition("because_looked", LOOKED.title, newest_ordered, GOES_WITH)
"""Instead of `BOUGHT`, until the payment of the order is known."""

FOR_YOU = RowDefinition("for_you", "Chosen for you", whole_history, Strategy(NEIGHBOUR_SOURCES, ()))

ROWS: Mapping[RowPage, Sequence[RowDefinition]] = {
    "home": (AGAIN, FOLLOWED, SINCE, LOOKED, POPULAR),
    "cart": (COMPLETES, AGAIN),
    "order": (BOUGHT, ORDERED, AGAIN),
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


@dataclass(frozen=True, slots=True)
class RankedRow:
    """A row that is shown: its definition, what it is about, and its products."""

    definition: RowDefinition
    focus: Focus
    found: RankedItems

    @property
    def title(self) -> str:
        """The title in English."""
        name = self.focus.name
        return self.definition.title if name is None else self.definition.title % {"name": name}


async def ranked_rows(
    ranker: Ranker,
    definitions: Sequence[RowDefinition],
    request: RecommendationRequest,
    n: int,
    page: Page,
    allowed: RuleContext,
) -> list[RankedRow]:
    """Return the rows with at least their shortest length, in order, each with at most `n` products.

    The title says why each product is shown, so no rule inserts other products: nothing is pinned, sponsored
    or drawn for exposure.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    allowed = replace(allowed, rules=without_places(allowed.rules), pool=ExposurePool())
    rows: list[RankedRow] = []
    for definition in definitions:
        focus = await definition.focus(request)
        if focus is None:
            continue
        found = await ranker.rank(focus.request, n, page, definition.strategy, allowed)
        if len(found.items) < definition.shortest:
            continue
        rows.append(RankedRow(definition, focus, found))
        shown = frozenset(item["product_id"] for item in found.items)
        request = replace(request, excluded=request.excluded | shown, unwanted=request.unwanted | shown)
        allowed = replace(allowed, excluded=allowed.excluded | shown, unwanted=allowed.unwanted | shown)
    return rows


class TitledRowsService:
    """Returns the titled rows of a page, and logs each. `assigned` returns the experiment of a visitor."""

    def __init__(
        self,
        versions: LiveVersions,
        models: TrainedModels,
        ranker: Ranker,
        rules: ShopRules,
        assigned: Callable[[str, Page], Assignment],
        log: AnswerLog | None,
        clock: Clock,
    ) -> None:
        self._versions, self._models, self._ranker, self._rules = versions, models, ranker, rules
        self._assigned, self._log, self._clock = assigned, log, clock

    async def of_page(
        self,
        visitor_id: str,
        n: int,
        page: RowPage,
        shown: Collection[str] = (),
        followed: frozenset[str] = frozenset(),
        cart: Collection[str] | None = None,
    ) -> TitledRows:
        """Return the titled rows of a page, each with at most `n` products, none of them twice or `shown`.

        `followed` are the sellers that the visitor follows, `cart` the products in the cart of the visitor's
        browser; None if only the events tell.

        The hold-out gets none, because it gets popular products alone.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        started = perf_counter()
        surface = RULES_OF[page]
        cards = await open_cards(self._versions)
        visitor, reply = await read_visitor_history(
            self._versions.redis, visitor_id, cards, None, self._models
        )
        if cart is not None:
            visitor = with_cart(visitor, cart, self._clock().timestamp())
        if self._assigned(visitor_id, surface).experiment == HOLDOUT:
            return {"page": page, "as_of": visitor.as_of, "rows": []}
        model = await self._models.in_use(reply, cards.prefix)
        # Each row narrows the history itself, so none is left out here, as `surface` of a cart would do.
        rules, seed = self._rules.of(surface), self._rules.seed_of(visitor_id, surface)
        request, allowed = build_request(self._rules, visitor, cards, "home", None, shown, model, rules, seed)
        request = replace(request, followed=followed)
        rows = await ranked_rows(self._ranker, ROWS[page], request, n, surface, allowed)
        return {
            "page": page,
            "as_of": visitor.as_of,
            "rows": [self._answered(visitor_id, page, row, ms_since(started)) for row in rows],
        }

    def _answered(self, visitor_id: str, page: RowPage, row: RankedRow, answer_ms: float) -> TitledRow:
        """Count and log a row, and return it as in responses."""
        name, recommendation_id = row.definition.name, new_id()
        count_list(page, name, row.found)
        if self._log is not None:
            self._log.put(
                Answer(
                    recommendation_id=recommendation_id,
                    answered_at=self._clock(),
                    visitor_id=visitor_id,
                    surface=page,
                    anchor_product_id=None,
                    assignment=Assignment(None, None, name, 1.0),
                    strategy=name,
                    model_version=row.found.model_version,
                    seeds=row.focus.request.seeds,
                    items=row.found.items,
                    propensities=[1.0] * len(row.found.items),
                    alternatives={},
                    answer_ms=answer_ms,
                    parts=row.found.parts,
                )
            )
        return {
            "row": name,
            "title": row.title,
            "name": row.focus.name,
            "recommendation_id": recommendation_id,
            "strategy": name,
            "model_version": row.found.model_version,
            "parts": row.found.parts,
            "items": row.found.items,
        }
