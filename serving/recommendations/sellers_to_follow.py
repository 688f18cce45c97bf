"""Recommends sellers to follow: those of the visitor's products and of what goes with them."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from schemas.published_model.weights import DEFAULT_WEIGHTS, NEIGHBOUR_SOURCES
from serving.kit.offers import Offer
from serving.kit.response_types import AsOf
from serving.recommendations.proposal import Because, Proposal, blend
from serving.recommendations.ranker import count_sources, version_that_answered
from serving.recommendations.reasons import reason_of_cause
from serving.recommendations.recommender import Recommender, ask_source
from serving.recommendations.request_builder import KnownVisitors
from serving.recommendations.rules.checks import offer_to_show, refusal
from serving.recommendations.schemas import AskedSource, ModelVersion, Reason


class SellerProduct(TypedDict):
    """A product of the seller that fits the visitor and is for sale."""

    product_id: str
    name: str | None
    category: str | None


class SellerToFollow(TypedDict):
    """A seller whom the visitor does not follow."""

    seller_id: Annotated[str, Field(examples=["seller-0001"])]
    seller_name: str | None
    score: Annotated[float, Field(description="Relative to that of the first seller, from 0 to 1.")]
    reason: Annotated[Reason, Field(description="The product of the visitor that contributed most.")]
    products: list[SellerProduct]


class SellersToFollow(TypedDict):
    """Sellers to follow, best first."""

    model_version: ModelVersion
    as_of: AsOf
    parts: Annotated[list[AskedSource], Field(description="The sources that were asked, in this order.")]
    sellers: list[SellerToFollow]


OWN = 1.0
"""What each product of the visitor's history adds to its seller. The best proposal of all sources adds 1."""


@dataclass
class ScoredSeller:
    """A seller: the products that speak for them, and how much each product of the visitor contributed."""

    seller_id: str
    score: float = 0.0
    causes: dict[Because, float] = field(default_factory=dict)
    products: list[Offer] = field(default_factory=list)

    def add(self, cause: Because, part: float) -> None:
        """Add a part of the score, and its cause."""
        self.score += part
        self.causes[cause] = self.causes.get(cause, 0.0) + part

    @property
    def main_cause(self) -> Because:
        """The cause with the largest part of the score; the first of equal ones."""
        return max(self.causes, key=self.causes.__getitem__)


def scored_sellers(own: Iterable[Offer], proposed: Sequence[tuple[Proposal, Offer]]) -> list[ScoredSeller]:
    """Return the sellers of products, best first.

    Args:
        own: the products of the visitor, the newest first.
        proposed: what goes with them, best first, with the offer that a list would show.
    """
    sellers: dict[str, ScoredSeller] = {}
    for card in own:
        seller = sellers.setdefault(card.seller_id, ScoredSeller(card.seller_id))
        seller.add(Because("similar", card.product_id), OWN)
    for proposal, card in proposed:
        seller = sellers.setdefault(card.seller_id, ScoredSeller(card.seller_id))
        seller.products.append(card)
        for cause, part in proposal.causes().items():
            seller.add(cause, part)
    return sorted(sellers.values(), key=lambda one: (-one.score, one.seller_id))


PROPOSED = 48
"""The number of proposed products whose sellers are looked at."""

PRODUCTS_SHOWN = 3
"""The largest number of products of a seller that are returned."""

NamesOf = Callable[[Iterable[str]], Awaitable[Mapping[str, str | None]]]


class SellersToFollowService:
    """Recommends sellers."""

    def __init__(self, visitors: KnownVisitors, sources: Mapping[str, Recommender]) -> None:
        self._visitors, self._sources = visitors, sources

    async def of(
        self,
        visitor_id: str,
        n: int,
        followed: Collection[str],
        names_of: NamesOf,
        cart: Collection[str] | None = None,
    ) -> SellersToFollow:
        """Return at most `n` sellers whom the visitor does not follow.

        A seller has at least one product that goes with the visitor's and that the rules of the shop let
        pass, so nobody is suspended, blocked or sold out. Without a history, and for the hold-out, there are
        none. `cart` are the products in the cart of the visitor's browser; None if only the events tell.

        Raises:
            RedisUnavailable: Redis stops answering.
        """
        known = await self._visitors.of(visitor_id, cart)
        if known is None:
            return {"model_version": None, "as_of": None, "parts": [], "sellers": []}
        request, cards = known.request, known.request.cards
        # What was bought says something about its seller, although nobody buys it again.
        allowed = replace(known.allowed, bought={})
        asked = {name: await ask_source(self._sources[name], request, PROPOSED) for name in NEIGHBOUR_SOURCES}
        parts = [part for _, part in asked.values()]
        count_sources(parts)
        proposals = {name: proposed for name, (proposed, _) in asked.items()}
        blended = blend(proposals, DEFAULT_WEIGHTS["home"], PROPOSED)
        seeds = (seed.product_id for seed in request.seeds)
        await cards.load({*request.history, *seeds, *(one.product_id for one in blended)})

        def passing(product_id: str) -> Offer | None:
            card = offer_to_show(cards.offers(product_id), allowed)
            return card if card and refusal(card, allowed) is None else None

        own = (card for each in request.history if (card := passing(each)))
        proposed = [(one, card) for one in blended if (card := passing(one.product_id))]
        found = [
            seller
            for seller in scored_sellers(own, proposed)
            if seller.products and seller.seller_id not in followed
        ][:n]
        names = await names_of(seller.seller_id for seller in found)
        return {
            "model_version": version_that_answered(request.model, parts),
            "as_of": known.as_of,
            "parts": parts,
            "sellers": [
                {
                    "seller_id": seller.seller_id,
                    "seller_name": names.get(seller.seller_id),
                    "score": round(seller.score / found[0].score, 6),
                    "reason": reason_of_cause(seller.main_cause, request),
                    "products": [
                        {"product_id": card.product_id, "name": card.name, "category": card.category}
                        for card in seller.products[:PRODUCTS_SHOWN]
                    ],
                }
                for seller in found
            ],
        }
