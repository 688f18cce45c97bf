"""Scores sellers by the products of a visitor and by those that go with them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from serving.kit.offers import Offer
from serving.recommendations.proposal import Because, Proposal

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
