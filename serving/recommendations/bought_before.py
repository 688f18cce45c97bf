"""The recommender of products that the visitor bought before and may need again."""

from collections.abc import Sequence

from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import PassedOver, RecommendationRequest


class BoughtBefore:
    """Proposes what the visitor bought so long ago that it is due again.

    The rule `just_bought` lets only products of consumable categories pass.
    """

    strategy = "bought_before"

    async def propose(self, request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        """Return the purchases that are due, the one that is due for the longest time first."""
        bought = request.visitor.bought
        if not bought:
            raise PassedOver("no_history")
        due = sorted(
            (at, product_id) for product_id, at in bought.items() if product_id not in request.excluded
        )
        return [
            Proposal(product_id, 1.0 / rank, "again", product_id)
            for rank, (_, product_id) in enumerate(due, 1)
        ]
