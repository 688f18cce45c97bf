"""Two recommenders that read a published model: its neighbours, and products with similar content."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Any, Literal, NamedTuple

from redis.asyncio import Redis

from common.metrics import RECOMMENDER_MODELS_REFUSED
from schemas.published_model.keys import description_key
from schemas.published_model.product_ids import ProductIds
from schemas.published_model.rows import DamagedRow, Neighbour, unpack_row
from serving.kit.redis_client import run_redis
from serving.recommendations.proposal import Kind, Proposal
from serving.recommendations.recommender import (
    CANDIDATES,
    PassedOver,
    RecommendationRequest,
    neighbour_proposals,
)
from serving.recommendations.scoring import Neighbours, fold_in_seeds
from serving.recommendations.strategies import Source
from serving.recommendations.trained_models import LoadedModel, ModelUnusable, TrainedModels

MAX_ENTRIES = 4_096
"""The number of products whose rows are cached: about 15 MB."""


class CachedRow(NamedTuple):
    """The neighbours of a product: those of the trained model, and those with similar content."""

    trained: Neighbours
    content: Neighbours


NO_NEIGHBOURS = CachedRow({}, {})


class ModelRows:
    """Caches the rows of one version: that of the newest call."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._version = ""
        self._rows: dict[str, CachedRow] = {}

    async def of(self, model: LoadedModel, product_ids: Sequence[str]) -> dict[str, CachedRow]:
        """Return the rows of these products. A product that the model does not know has no neighbours.

        A damaged row is left out and counted.

        Raises:
            ModelUnusable: the keys of the version have vanished, or all rows that were read are damaged.
            RedisUnavailable: Redis does not answer.
        """
        if model.version != self._version:
            self._version, self._rows = model.version, {}
        found = {each: self._rows[each] for each in product_ids if each in self._rows}
        missing = [each for each in product_ids if each not in found]
        return found | await self._read(model, missing) if missing else found

    async def _read(self, model: LoadedModel, product_ids: Sequence[str]) -> dict[str, CachedRow]:
        version, layout = model.version, model.description.layout
        pipeline: Any = self._redis.pipeline(transaction=False)
        pipeline.exists(description_key(version))
        for each in product_ids:
            pipeline.hget(layout.rows_key_of(version, each), each)
        exists, *replies = await run_redis(pipeline.execute())
        if not exists:
            raise ModelUnusable("incomplete", "the keys of the version have vanished")
        found: dict[str, CachedRow] = {}
        damaged: DamagedRow | None = None
        for product_id, packed in zip(product_ids, replies, strict=True):
            try:
                found[product_id] = _unpacked(packed, model) if packed else NO_NEIGHBOURS
            except DamagedRow as error:
                damaged = error
                RECOMMENDER_MODELS_REFUSED.labels("damaged_row").inc()
        if damaged and not found:
            raise ModelUnusable("damaged", str(damaged))
        if version == self._version:  # else another request has meanwhile seen a switch
            self._rows |= found
            while len(self._rows) > MAX_ENTRIES:
                del self._rows[next(iter(self._rows))]
        return found


def _unpacked(packed: bytes, model: LoadedModel) -> CachedRow:
    row = unpack_row(packed, model.version, len(model.ids))
    return CachedRow(_named(row.trained, model.ids), _named(row.content, model.ids))


def _named(neighbours: Iterable[Neighbour], ids: ProductIds) -> Neighbours:
    return {intern(ids[one.code]): one.score for one in neighbours}


@dataclass(frozen=True, slots=True)
class NeighboursOfModel:
    """Proposes neighbours of the visitor's products from the rows of a published model.

    `which` are those neighbours: those in the trained model, as `CompactModel.fold_in` proposes them, or
    products with similar names and categories, also those that nobody has viewed or bought.
    """

    models: TrainedModels
    rows: ModelRows
    strategy: Source
    kind: Kind
    which: Literal["trained", "content"]

    async def propose(self, request: RecommendationRequest, wanted: int) -> Sequence[Proposal]:
        """Return products by Σ decay^age · score, where the newest product of the history has the age 0."""
        used = request.model
        if used.model is None:
            raise PassedOver(used.reason or "no_model")
        if not request.history:
            raise PassedOver("no_history")
        try:
            rows = await self.rows.of(used.model, request.history)
        except ModelUnusable as error:
            if error.reason == "incomplete":
                self.models.discard(used.model)
            raise PassedOver(error.reason) from error
        neighbours: Mapping[str, Neighbours] = {
            product_id: getattr(row, self.which) for product_id, row in rows.items()
        }
        weighted = fold_in_seeds(request.history, used.model.description.decay)
        return neighbour_proposals(
            self.kind, weighted, neighbours, max(CANDIDATES, 2 * wanted), request.excluded
        )
