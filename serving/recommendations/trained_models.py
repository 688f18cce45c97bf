"""Loads the published model that Redis names as in use, and the weights of the sources beside it.

Each answer reads the name together with the visitor's history, so a roll-back applies to the next answer.
Only a version that this process has not loaded costs further round trips, once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal

import structlog
from redis.asyncio import Redis

from common.metrics import RECOMMENDER_MODELS_REFUSED
from common.timeouts import PEER_TIMEOUT_S
from schemas.published_model.keys import (
    IN_USE,
    STATE,
    WEIGHTS,
    Description,
    UnreadableDescription,
    description_key,
    ids_key,
    rows_key,
)
from schemas.published_model.product_ids import ProductIds
from schemas.published_model.weights import DEFAULT_WEIGHTS, UnusableWeights, Weights, weights_in_use
from serving.kit.newest_entries import put_newest
from serving.kit.problems import RedisUnavailable
from serving.kit.product_cards import KEY
from serving.kit.redis_client import run_redis

log = structlog.get_logger()

Unusable = Literal["no_model", "loading", "incomplete", "damaged", "other_catalogue"]
"""Why no model is used: none is published, it is being read, keys are missing, a value is not what its
checksum says or has another format, or the shop sells none of its products."""

LOAD_WAIT_S = 0.1
"""An answer waits this long for a version that is being read, and is given without it afterwards."""

RETRY_AFTER_S = 2.0
"""A version that can't be used is read again after this time."""

MAX_LOADED = 2
"""The versions in memory: after a roll-back, also the one before. A million products take 45 MB."""

CATALOGUE_SAMPLE = 64
"""The number of a model's products that are looked up in the shop, spread over its catalogue."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A published model, without its rows, which are read when needed."""

    description: Description
    ids: ProductIds

    @property
    def version(self) -> str:
        """The name of the version."""
        return self.description.version


class ModelUnusable(Exception):
    """The version can't be used. `reason` is for the answer, `details` for the log."""

    def __init__(self, reason: Unusable, details: str) -> None:
        super().__init__(details)
        self.reason: Unusable = reason


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """The model that an answer may use, or why there is none, and the weights of the sources."""

    model: LoadedModel | None
    reason: Unusable | None
    weights: Weights


class TrainedModels:
    """The models that this process has loaded."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._loaded: dict[str, LoadedModel] = {}
        self._loading: dict[str, asyncio.Task[LoadedModel]] = {}
        self._unusable: dict[str, tuple[Unusable, float]] = {}
        self._weights: tuple[bytes | None, Weights] = (None, DEFAULT_WEIGHTS)

    def queue(self, pipeline: Any) -> None:
        """Add the read of the version in use and of the weights to a pipeline: one reply."""
        pipeline.hmget(STATE, (IN_USE, WEIGHTS))

    async def in_use(self, reply: Sequence[bytes | None], prefix: str) -> ModelInUse:
        """Return the model that the reply names, loading it if this process has not.

        `prefix` is that of the live version of job `recommendations`, whose products the model must know. No
        failure of a model is an error: the answer is then given without it.
        """
        name, weights = reply
        if name is None:
            return ModelInUse(None, "no_model", self._read_weights(weights))
        version = name.decode(errors="replace")
        try:
            model = self._loaded.get(version) or await self._load(version, prefix)
        except ModelUnusable as error:
            return ModelInUse(None, error.reason, self._read_weights(weights))
        return ModelInUse(model, None, self._read_weights(weights))

    async def verify(self, version: str, prefix: str) -> None:
        """Read a version completely, as for the first answer that uses it. `prefix` is as for `in_use`.

        Raises:
            ModelUnusable: it can't be used; the message says why.
            RedisUnavailable: Redis does not answer.
        """
        await self._read(version, prefix)

    def discard(self, model: LoadedModel) -> None:
        """Forget a model whose keys have vanished. The next answer reads it again."""
        self._loaded.pop(model.version, None)

    async def _load(self, version: str, prefix: str) -> LoadedModel:
        if version in self._unusable:
            reason, failed_at = self._unusable[version]
            if monotonic() - failed_at < RETRY_AFTER_S:
                raise ModelUnusable(reason, "read a moment ago")
        task = self._loading.get(version)
        if task is None:
            task = asyncio.create_task(self._read(version, prefix))
            self._loading[version] = task
            task.add_done_callback(lambda done: self._finish(version, done))
        try:
            return await asyncio.wait_for(asyncio.shield(task), LOAD_WAIT_S)
        except TimeoutError:
            raise ModelUnusable("loading", "the version is being read") from None
        except RedisUnavailable as error:
            raise ModelUnusable("incomplete", "Redis did not answer") from error

    def _finish(self, version: str, task: "asyncio.Task[LoadedModel]") -> None:
        del self._loading[version]
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._unusable.clear()
            put_newest(self._loaded, version, task.result(), MAX_LOADED)
            return
        reason: Unusable = error.reason if isinstance(error, ModelUnusable) else "incomplete"
        self._unusable = {version: (reason, monotonic())}
        RECOMMENDER_MODELS_REFUSED.labels(reason).inc()
        log.warning("a trained model is not used", version=version, reason=reason, details=str(error))

    async def _read(self, version: str, prefix: str) -> LoadedModel:
        packed: bytes | None = await run_redis(self._redis.get(description_key(version)))
        if packed is None:
            raise ModelUnusable("incomplete", "the model's description is missing")
        try:
            description = Description.unpack(packed)
        except UnreadableDescription as error:
            raise ModelUnusable("damaged", str(error)) from error
        if description.version != version:
            raise ModelUnusable("damaged", f"the description is that of version {description.version}")
        pipeline: Any = self._redis.pipeline(transaction=False)
        for piece in range(description.pieces):
            pipeline.get(ids_key(version, piece))
        for bucket in range(description.buckets):
            pipeline.hlen(rows_key(version, bucket))
        replies = await run_redis(pipeline.execute(), 10 * PEER_TIMEOUT_S)
        pieces, sizes = replies[: description.pieces], replies[description.pieces :]
        if None in pieces or sum(sizes) != description.rows:
            details = (
                f"{sum(sizes)} of {description.rows} rows; {pieces.count(None)} pieces of ids are missing"
            )
            raise ModelUnusable("incomplete", details)
        ids = await asyncio.to_thread(_checked_ids, pieces, description)
        await self._require_known(ids, prefix)
        return LoadedModel(description, ids)

    async def _require_known(self, ids: ProductIds, prefix: str) -> None:
        step = max(1, len(ids) // CATALOGUE_SAMPLE)
        pipeline: Any = self._redis.pipeline(transaction=False)
        for code in range(0, len(ids), step):
            pipeline.hexists(prefix + KEY.format(ids[code]), "offers")
        if not any(await run_redis(pipeline.execute())):
            raise ModelUnusable("other_catalogue", "the shop lists none of the model's products")

    def _read_weights(self, packed: bytes | None) -> Weights:
        known, weights = self._weights
        if packed != known:
            weights = DEFAULT_WEIGHTS
            try:
                weights = weights_in_use(packed)
            except UnusableWeights as error:
                RECOMMENDER_MODELS_REFUSED.labels("weights").inc()
                log.warning("weights of recommendations are not used", details=str(error))
            self._weights = packed, weights
        return weights


def _checked_ids(pieces: Sequence[bytes], description: Description) -> ProductIds:
    try:
        ids = ProductIds.from_pieces(pieces)
    except ValueError as error:
        raise ModelUnusable("damaged", str(error)) from error
    if len(ids) != description.products or ids.checksum() != description.catalogue:
        raise ModelUnusable("damaged", "the product ids are not those of the model: their checksum differs")
    return ids
