"""Makes the items of a list from proposals: products that are for sale, with the reasons."""

from collections.abc import Sequence

from serving.catalogue.offers import Offer
from serving.recommendations.proposal import Because, Proposal
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.schemas import Item, Reason

SPARE_CARDS = 4
"""The number of cards that are read beyond the requested number, in case some products are sold out."""

OF_PRODUCTS = ("similar", "content")
"""The kinds of proposals that follow from a product of the visitor."""


class PickedItems:
    """Collects the items of a list: products that are for sale, not excluded, and each once."""

    def __init__(self, request: RecommendationRequest, n: int) -> None:
        self.items: list[Item] = []
        self._request = request
        self._n = n
        self._taken = set(request.excluded)

    @property
    def missing(self) -> int:
        """The number of items that the list still lacks."""
        return self._n - len(self.items)

    async def add(self, proposals: Sequence[Proposal]) -> None:
        """Add the best of these proposals until the list is complete.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        cards = self._request.cards
        usable = [one for one in proposals if one.product_id not in self._taken]
        # Few products are sold out, so the first slice is usually enough.
        for start in range(0, len(usable), self._n + SPARE_CARDS):
            checked = [(one, one.main_cause()) for one in usable[start : start + self._n + SPARE_CARDS]]
            await cards.load(_needed(checked))
            for one, cause in checked:
                card = cards.get(one.product_id)
                if card is None or not card.for_sale or one.product_id in self._taken:
                    continue
                if not self.missing:
                    return
                self._taken.add(one.product_id)
                self.items.append(_item(card, one, _reason(cause, self._request)))
            if not self.missing:
                return


def _needed(proposals: Sequence[tuple[Proposal, Because]]) -> list[str]:
    """Return the proposed products, and the seeds that their reasons name."""
    because = {cause.of for _, cause in proposals if cause.kind in OF_PRODUCTS and cause.of}
    return [*(one.product_id for one, _ in proposals), *because]


def _item(card: Offer, one: Proposal, reason: Reason) -> Item:
    return {
        "product_id": card.product_id,
        "seller_id": card.seller_id,
        "name": card.name,
        "category": card.category,
        "price_minor": card.price_minor,
        "currency": card.currency,
        "score": round(one.score, 6),
        "sources": {source: round(share, 6) for source, share in one.sources.items()},
        "reason": reason,
    }


def _reason(cause: Because, request: RecommendationRequest) -> Reason:
    if cause.kind == "popular" or cause.of is None:
        return {"kind": "popular", "product_id": None, "category": None, "text": "Popular right now"}
    if cause.kind == "category":
        text = f"Popular in {cause.of.replace('_', ' ')}"
        return {"kind": "category", "product_id": None, "category": cause.of, "text": text}
    seed = request.cards.get(cause.of)
    name = seed.name if seed and seed.name else "it"
    if cause.kind == "content":
        text = f"Similar to {name}"
    elif cause.of == request.anchor:
        text = f"Often viewed together with {name}"
    elif cause.of in request.visitor.carted:
        text = f"Goes with {name} in your cart"
    elif cause.of not in request.visitor.viewed and cause.of in request.visitor.bought:
        text = f"Because you bought {name}"
    else:
        text = f"Because you looked at {name}"
    return {"kind": cause.kind, "product_id": cause.of, "category": None, "text": text}
