"""Reads and caches the neighbours of products in a published model. A row of a version never changes."""

from collections.abc import Iterable, Sequence
from sys import intern
from typing import Any, NamedTuple

from redis.asyncio import Redis

from common.metrics import RECOMMENDER_MODELS_REFUSED
from schemas.published_model.keys import description_key
from schemas.published_model.product_ids import ProductIds
from schemas.published_model.rows import DamagedRow, Neighbour, unpack_row
from serving.kit.redis_client import run_redis
from serving.recommendations.scoring import Neighbours
from serving.recommendations.trained_models import LoadedModel, ModelUnusable

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
