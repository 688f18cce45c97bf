"""The recommender of products that the visitor bought before and may need again."""

from collections.abc import Callable, Sequence

from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import PassedOver, RecommendationRequest
from serving.recommendations.rules.checks import DAY_S
from serving.recommendations.rules.context import category_key

DaysUntilAgain = Callable[[str, str | None], float]
"""The product and its category, without capitals → the usual days until it is bought again."""


def _at_once(_product_id: str, _category: str | None) -> float:
    return 0.0


class BoughtBefore:
    """Proposes what the visitor bought so long ago that it is due again.

    The rule `just_bought` lets only products of consumable categories pass.
    """

    strategy = "bought_before"

    def __init__(self, days_until_again: DaysUntilAgain = _at_once) -> None:
        self._days_until_again = days_until_again

    async def propose(self, request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        """Return the purchases that are due, the one that is due for the longest time first."""
        bought = request.visitor.bought
        if not bought:
            raise PassedOver("no_history")
        again = [product_id for product_id in bought if product_id not in request.excluded]
        cards = await request.cards.read(again)
        due = sorted(
            (
                bought[product_id] + DAY_S * self._days_until_again(product_id, category_key(card.category)),
                product_id,
            )
            for product_id, card in cards.items()
        )
        return [
            Proposal(product_id, 1.0 / rank, "again", product_id)
            for rank, (_, product_id) in enumerate(due, 1)
        ]
