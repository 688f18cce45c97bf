"""Two recommenders that read a published model: its neighbours, and products with similar content."""

from collections.abc import Mapping, Sequence

from serving.recommendations.model_rows import ModelRows
from serving.recommendations.proposal import Kind, Proposal
from serving.recommendations.recommender import (
    CANDIDATES,
    PassedOver,
    RecommendationRequest,
    neighbour_proposals,
)
from serving.recommendations.scoring import Neighbours, fold_in_seeds
from serving.recommendations.strategies import Source
from serving.recommendations.trained_models import ModelUnusable, TrainedModels


class _OfPublishedModel:
    """Reads the rows of the visitor's products."""

    strategy: Source
    kind: Kind

    def __init__(self, models: TrainedModels, rows: ModelRows) -> None:
        self._models = models
        self._rows = rows

    async def _propose(self, request: RecommendationRequest, wanted: int, which: int) -> Sequence[Proposal]:
        used = request.model
        if used.model is None:
            raise PassedOver(used.reason or "no_model")
        if not request.history:
            raise PassedOver("no_history")
        try:
            rows = await self._rows.of(used.model, request.history)
        except ModelUnusable as error:
            if error.reason == "incomplete":
                self._models.discard(used.model)
            raise PassedOver(error.reason) from error
        neighbours: Mapping[str, Neighbours] = {product_id: row[which] for product_id, row in rows.items()}
        weighted = fold_in_seeds(request.history, used.model.description.decay)
        limit = max(CANDIDATES, 2 * wanted)
        return neighbour_proposals(self.kind, weighted, neighbours, limit, request.excluded)


class TrainedNeighbours(_OfPublishedModel):
    """Proposes neighbours of the visitor's products in the trained model, as `CompactModel.fold_in` does."""

    strategy: Source = "trained_neighbours"
    kind: Kind = "similar"

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return products by Σ decay^age · score, where the newest product of the history has the age 0."""
        return await self._propose(request, wanted, 0)


class SimilarContent(_OfPublishedModel):
    """Proposes products with similar names and categories that nobody has viewed or bought."""

    strategy: Source = "similar_content"
    kind: Kind = "content"

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return products by the same sum over their similarity."""
        return await self._propose(request, wanted, 1)
