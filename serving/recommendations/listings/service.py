"""Sorts the list of a search or a category for a visitor, from what goes with the visitor's products."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.published_model.weights import DEFAULT_WEIGHTS, NEIGHBOUR_SOURCES
from serving.kit.problems import RedisUnavailable
from serving.kit.product_lists import ListingWindow, Product
from serving.recommendations.answer_counts import count_sources
from serving.recommendations.blend import blend
from serving.recommendations.interest import InterestCache
from serving.recommendations.known_visitors import KnownVisitor, KnownVisitors
from serving.recommendations.listings.cursor import PersonalCursor
from serving.recommendations.listings.schemas import PersonalProduct, PersonalProducts
from serving.recommendations.listings.taste import Hit, Taste, by_taste
from serving.recommendations.proposal import Proposal
from serving.recommendations.ranker import OF_MODEL
from serving.recommendations.reasons import reason_of_cause
from serving.recommendations.recommender import Recommender, ask_source
from serving.recommendations.rules.checks import offer_to_show, refusal
from serving.recommendations.rules.targets import category_key
from serving.recommendations.schemas import AskedSource

WINDOW = 240
"""The first products of a list, ten pages of the shop, have a personal order. Those behind have that of
everybody."""

SCORED = 320
"""A source returns twice as many products: the 32 neighbours of 20 products."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The products of a window in the visitor's order, and what the sources did."""

    products: Sequence[PersonalProduct]
    parts: list[AskedSource]
    model_version: str | None


class PersonalListings:
    """Sorts lists for visitors."""

    def __init__(
        self, visitors: KnownVisitors, sources: Mapping[str, Recommender], interest: InterestCache
    ) -> None:
        self.visitors, self._sources, self._interest = visitors, sources, interest

    async def known(self, visitor_id: str, category: str = "") -> KnownVisitor | None:
        """Return a visitor for whom a list, of `category` unless it is "", has an order of its own."""
        known = await self.visitors.of(visitor_id)
        if known is None:
            return None
        return replace(known, allowed=replace(known.allowed, page_category=category_key(category)))

    async def page(
        self, known: KnownVisitor | None, window: ListingWindow, after: PersonalCursor | None, limit: int
    ) -> PersonalProducts:
        """Return the next `limit` products of a window that were not shown before `after`."""
        at = after or PersonalCursor(window["until"], frozenset())
        left = [
            (product, rank)
            for product, rank in zip(window["products"], window["ranks"], strict=True)
            if not at.has_shown(product["product_id"])
        ]
        arranged = await self._arranged(known, left)
        shown = (arranged.products if arranged else [_without_reason(product) for product, _ in left])[:limit]
        has_more = len(left) > limit
        cursor = at.after(product["product_id"] for product in shown).encode() if has_more else at.until
        return {
            "personalised": arranged is not None,
            "model_version": arranged.model_version if arranged else None,
            "as_of": known.as_of if known else None,
            "parts": arranged.parts if arranged else [],
            "found": window["found"],
            "products": list(shown),
            "next_cursor": cursor,
        }

    async def _arranged(
        self, known: KnownVisitor | None, found: Sequence[tuple[Product, int]]
    ) -> Arrangement | None:
        if known is None or not found:
            return None
        try:
            arrangement = await self._arrange(known, found)
        except RedisUnavailable:
            return None
        count_sources(arrangement.parts)
        return arrangement

    async def _arrange(self, known: KnownVisitor, found: Sequence[tuple[Product, int]]) -> Arrangement:
        request, cards = known.request, known.request.cards
        product_of = {product["product_id"]: product for product, _ in found}
        own = {*request.history, *(seed.product_id for seed in request.seeds)}
        await cards.load([*product_of, *own])
        asked = {name: await ask_source(self._sources[name], request, SCORED) for name in NEIGHBOUR_SOURCES}
        scored = _blended({name: proposals for name, (proposals, _) in asked.items()}, product_of)
        viewed = (cards.get(product_id) for product_id in request.history)
        taste = Taste.of(
            {product_id: one.score for product_id, one in scored.items()},
            [Hit(one.product_id, 0, one.seller_id, one.category, one.price_minor) for one in viewed if one],
        )
        hits = [
            Hit(each["product_id"], rank, each["seller_id"], each["category"], each["price_minor"])
            for each, rank in found
        ]
        refused = {
            product_id
            for product_id in product_of
            if refusal(offer_to_show(cards.offers(product_id), known.allowed), known.allowed)
        }
        placed = by_taste(hits, taste, await self._interest.of(product_of, cards.prefix), refused)
        products: list[PersonalProduct] = [
            {
                **product_of[hit.product_id],
                "reason": reason_of_cause(scored[hit.product_id].main_cause(), request) if follows else None,
            }
            for hit, follows in placed
        ]
        parts = [part for _, part in asked.values()]
        answered = {part["source"] for part in parts if part["answered"]}
        model = request.model.model
        return Arrangement(products, parts, model.version if model and answered & OF_MODEL else None)


def _blended(
    proposals_of: Mapping[str, Sequence[Proposal]], product_of: Mapping[str, Product]
) -> dict[str, Proposal]:
    """Return the proposed products of the list by id.

    Scores are relative to the best product of each source in the whole shop. Relative to the best one of the
    list, weak scores would count as much as strong ones, which chooses worse (docs/recommendations.md).
    """
    every = blend(proposals_of, DEFAULT_WEIGHTS["home"], sum(map(len, proposals_of.values())))
    return {one.product_id: one for one in every if one.product_id in product_of}


def _without_reason(product: Product) -> PersonalProduct:
    return {**product, "reason": None}
