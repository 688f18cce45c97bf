"""Products that were listed, became cheaper or are in stock again: read in the background, and proposed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from common.clock import Clock
from common.configuration.recommendation_rules import NEW_PRODUCT_DAYS
from common.configuration.values import SettingValues
from common.timeouts import PEER_TIMEOUT_S
from serving.kit.clickhouse import ClickHouseQueries, Value
from serving.kit.live_versions import LiveVersions
from serving.kit.polled import PolledValue
from serving.kit.product_cards import open_cards
from serving.kit.shared_queries import SharedQueries, whole_minute
from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import CATEGORIES, PassedOver, RecommendationRequest
from serving.recommendations.scoring import favourite_categories
from serving.recommendations.visitor_history import VisitorHistory

READ_EVERY_S = 60.0
LIMIT = 2_000
"""The largest number of products that are read: about 0.5 MB in each process."""

VISIT_GAP_S = 1_800.0
"""After so long without an action, the next one begins a new visit."""


@dataclass(frozen=True, slots=True)
class RecentOffer:
    """A product that was listed (`new`), became cheaper or was `back` in stock at a time in Unix seconds."""

    product_id: str
    kind: Literal["new", "cheaper", "back"]
    at_s: float


@dataclass(frozen=True, slots=True)
class RecentOffers:
    """Changes by category and new products by seller, newest first; what is `back` by product."""

    of_category: Mapping[str, Sequence[RecentOffer]] = field(default_factory=dict)
    of_seller: Mapping[str, Sequence[RecentOffer]] = field(default_factory=dict)
    back: Mapping[str, RecentOffer] = field(default_factory=dict)


def recent_offers(
    clickhouse: ClickHouseQueries, versions: LiveVersions, values: SettingValues, clock: Clock
) -> PolledValue[RecentOffers]:
    """Return what changed within the days for which a product is new. None until ClickHouse has answered."""

    shared = SharedQueries(clickhouse, versions.redis)

    async def read() -> RecentOffers:
        since = clock() - timedelta(days=values.get(NEW_PRODUCT_DAYS))
        newest: dict[str, Value] = {"since": whole_minute(since), "limit": LIMIT}
        rows, rows_back = await shared.rows_of_all(
            READ_EVERY_S, ("recent_offers", newest), ("back_in_stock", newest)
        )
        loader = await open_cards(versions)
        cards = await loader.read(row["product_id"] for row in rows)
        of_category: dict[str, list[RecentOffer]] = {}
        of_seller: dict[str, list[RecentOffer]] = {}
        for row in rows:
            if row["is_new"]:
                new = RecentOffer(row["product_id"], "new", row["changed_s"])
                for each in loader.offers(row["product_id"]):
                    if each.for_sale:
                        of_seller.setdefault(each.seller_id, []).append(new)
            card = cards.get(row["product_id"])
            if not card or not card.for_sale or not card.category:
                continue
            # The card shows the best offer. That of another seller has not become cheaper.
            if row["is_new"] or card.seller_id == row["cheaper_from"]:
                kind: Literal["new", "cheaper"] = "new" if row["is_new"] else "cheaper"
                of_category.setdefault(card.category, []).append(
                    RecentOffer(card.product_id, kind, row["changed_s"])
                )
        back = {row["product_id"]: RecentOffer(row["product_id"], "back", row["back_s"]) for row in rows_back}
        return RecentOffers(of_category, of_seller, back)

    return PolledValue("recent offers", RecentOffers(), read, READ_EVERY_S, 2 * PEER_TIMEOUT_S)


def last_visit_end(visitor: VisitorHistory, now_s: float) -> float | None:
    """Return when the visit before the present one ended, in Unix seconds; None if none is known.

    Visits are separated by `VISIT_GAP_S` without a view, a change of the cart or a purchase.
    """
    moments = [at for times in (visitor.viewed, visitor.carted, visitor.bought) for at in times.values()]
    follows = now_s
    for at in sorted(moments, reverse=True):
        if follows - at > VISIT_GAP_S:
            return at
        follows = at
    return None


def _newest_first(offers: Iterable[RecentOffer]) -> list[Proposal]:
    newest = sorted(offers, key=lambda each: (-each.at_s, each.product_id))
    return [
        Proposal(each.product_id, 1.0 / rank, each.kind, each.product_id)
        for rank, each in enumerate(newest, 1)
    ]


class SinceLastVisit:
    """Proposes what was listed or became cheaper in the visitor's categories since the last visit.

    Products that the visitor viewed before they were in stock again are proposed, too: they were sold out
    when they were viewed, or afterwards.
    """

    strategy = "recent_offers"

    def __init__(self, recent: Callable[[], RecentOffers], clock: Clock) -> None:
        self._recent, self._clock = recent, clock

    async def propose(self, request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        """Return the changes, the newest first, of products that were not viewed after their change."""
        since_s = last_visit_end(request.visitor, self._clock().timestamp())
        if since_s is None:
            raise PassedOver("no_history")
        cards = await request.cards.read([seed.product_id for seed in request.seeds])
        category_of = {product_id: card.category for product_id, card in cards.items()}
        favourites = favourite_categories(request.seeds, category_of, CATEGORIES)
        recent, viewed = self._recent(), request.visitor.viewed
        in_favourites = (offer for each in favourites for offer in recent.of_category.get(each, ()))
        back = (recent.back[product_id] for product_id in viewed if product_id in recent.back)
        changes = [
            offer
            for offer in (*in_favourites, *back)
            if offer.at_s > max(since_s, viewed.get(offer.product_id, 0.0))
        ]
        return _newest_first(changes)


class NewFromFollowed:
    """Proposes what the sellers that the visitor follows have listed lately."""

    strategy = "new_from_followed"

    def __init__(self, recent: Callable[[], RecentOffers]) -> None:
        self._recent = recent

    async def propose(self, request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        """Return the new products, the newest first."""
        if not request.followed:
            raise PassedOver("no_history")
        of_seller = self._recent().of_seller
        return _newest_first({one for seller_id in request.followed for one in of_seller.get(seller_id, ())})
