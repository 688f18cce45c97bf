"""Writes versions of a trained model into Redis, removes them, and names the version that is served.

The weights of the sources of recommendations are stored beside the versions, and belong to none of them.

A version is registered before its first key is written, complete and checked before `STATE` names it, and
unregistered after its last key is removed. So an interrupted publication leaves nothing that is read, and the
next publication removes its keys. Commands have one key each (Redis Cluster).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from redis import Redis, RedisError

from common.errors import PartUnavailable
from recommenders.training.limits import NoRoom
from recommenders.training.neighbour_rows import CONTENT_NEIGHBOURS, NEIGHBOURS, ServedModel
from schemas.published_model.keys import (
    IN_USE,
    PREVIOUS,
    PUBLICATIONS,
    ROLLED_BACK,
    STATE,
    WEIGHTS,
    Description,
    Layout,
    bucket_of,
    description_key,
    ids_key,
    rows_key,
)
from schemas.published_model.rows import pack_row
from schemas.published_model.weights import (
    DEFAULT_WEIGHTS,
    UnusableWeights,
    Weights,
    pack_weights,
    weights_in_use,
)

ROWS_PER_WRITE = 100
"""About 25 KB in one command: Redis serves others between two of them."""

ROW_OVERHEAD_BYTES = 150
"""An upper estimate of what Redis adds to a row: its field, the table of the hash, and the allocator's
rounding."""

MAX_SHARE_OF_FREE_MEMORY = 0.5
"""A publication takes at most this share of what Redis may still use. The jobs need the rest."""


@dataclass(frozen=True)
class Publications:
    """The versions in a Redis. Use it under the lock of the `ModelRegistry`."""

    redis: Redis

    def write(self, served: ServedModel, version: str, trained_at: datetime) -> Description:
        """Write a version and return its description. Nothing reads it before `switch`.

        Raises:
            PartUnavailable: Redis does not answer, or is full.
            NoRoom: the version would take more than `MAX_SHARE_OF_FREE_MEMORY`.
        """
        pieces = list(served.ids.pieces())
        layout = Layout.of(len(served.ids), len(pieces))
        with redis_errors():
            self._require_memory(len(served.ids), sum(map(len, pieces)))
            self.redis.hset(PUBLICATIONS, mapping={version: layout.pack()})
            for number, piece in enumerate(pieces):
                self.redis.set(ids_key(version, number), piece)
            rows = self._write_rows(served, version, layout)
            description = Description(
                version, served.name, trained_at, len(served.ids), rows, NEIGHBOURS,
                served.trained.decay, served.ids.checksum(), layout.buckets, layout.pieces,
            )  # fmt: skip
            self._require_rows(description)
            self.redis.set(description_key(version), description.pack())
        return description

    def switch(self, version: str | None, previous: str | None) -> None:
        """Name the version that is served, and the one before it, in one step. No person rolled back to it.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        names = {IN_USE: version, PREVIOUS: previous}
        with redis_errors():
            if given := {name: value for name, value in names.items() if value is not None}:
                self.redis.hset(STATE, mapping=given | {ROLLED_BACK: ""})

    def replace_in_use(self, version: str) -> str | None:
        """Name the version that is served, and return the one that was, which becomes the one before it.

        It is what is in use at this moment: a person may have gone back to another one since `write` began.

        Raises:
            PartUnavailable: Redis does not answer.
        """

        redis: Any = self.redis

        def change(pipeline: Any) -> bytes | None:
            before: bytes | None = pipeline.hget(STATE, IN_USE)
            if before == version.encode():  # a try before named it, and its reply was lost
                before = pipeline.hget(STATE, PREVIOUS)
            names = {IN_USE: version, ROLLED_BACK: ""} | ({} if before is None else {PREVIOUS: before})
            pipeline.multi()
            pipeline.hset(STATE, mapping=names)
            return before

        with redis_errors():
            found: Any = redis.transaction(change, STATE, value_from_callable=True)
        return None if found is None else str(found, "utf-8")

    def named(self, field: str) -> str | None:
        """Return the version that a field of `STATE` names, or None.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        with redis_errors():
            value: Any = self.redis.hget(STATE, field)
        return None if value is None else str(value, "utf-8")

    def has(self, version: str) -> bool:
        """Return whether all keys of a version exist.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        with redis_errors():
            packed: Any = self.redis.get(description_key(version))
            try:
                description = Description.unpack(packed or b"")
                self._require_rows(description)
            except (ValueError, PartUnavailable):
                return False
            return all(self.redis.exists(ids_key(version, piece)) for piece in range(description.pieces))

    def remove_all_but(self, versions: Iterable[str | None]) -> None:
        """Remove every other version, also one whose publication was interrupted.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        with redis_errors():
            registered: Any = self.redis.hkeys(PUBLICATIONS)
            for version in {str(each, "utf-8") for each in registered} - set(versions):
                self.remove(version)

    def remove(self, version: str) -> None:
        """Remove the keys of a version, its description first.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        with redis_errors():
            packed: Any = self.redis.hget(PUBLICATIONS, version)
            if packed is None:
                return
            for key in Layout.unpack(packed).keys(version):
                self.redis.delete(key)
            self.redis.hdel(PUBLICATIONS, version)

    def _write_rows(self, served: ServedModel, version: str, layout: Layout) -> int:
        by_bucket: dict[int, dict[str, bytes]] = {}
        rows = 0
        for product_id, row in served.rows():
            rows += 1
            fields = by_bucket.setdefault(bucket_of(product_id, layout.buckets), {})
            fields[product_id] = pack_row(row, version)
            if len(fields) == ROWS_PER_WRITE:
                self.redis.hset(layout.rows_key_of(version, product_id), mapping=dict(fields))
                fields.clear()
        for bucket, fields in by_bucket.items():
            if fields:
                self.redis.hset(rows_key(version, bucket), mapping=dict(fields))
        return rows

    def _require_rows(self, description: Description) -> None:
        pipeline: Any = self.redis.pipeline(transaction=False)
        for bucket in range(description.buckets):
            pipeline.hlen(rows_key(description.version, bucket))
        found = sum(pipeline.execute())
        if found != description.rows:
            raise PartUnavailable(
                f"Redis has {found:,} of the {description.rows:,} rows of model {description.version}: "
                "run `./souk train` again"
            )

    def _require_memory(self, products: int, id_bytes: int) -> None:
        info: Any = self.redis.info("memory")
        limit, used = info.get("maxmemory", 0), info["used_memory"]
        needed = estimated_bytes(products, id_bytes)
        free = limit - used
        if limit and needed > MAX_SHARE_OF_FREE_MEMORY * free:
            raise NoRoom(
                f"the model of {products:,} products needs about {needed / 1e6:,.0f} MB in Redis, where "
                f"{max(0, free) / 1e6:,.0f} MB are free: raise SOUK_REDIS_MAX_MEMORY_MB, and run ./souk up"
            )


def estimated_bytes(products: int, id_bytes: int) -> int:
    """Return an upper estimate of the memory that a version takes in Redis. `id_bytes` is that of all ids."""
    row = 16 + 6 * (NEIGHBOURS + CONTENT_NEIGHBOURS) + ROW_OVERHEAD_BYTES
    return products * row + 2 * id_bytes


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn errors of Redis into `PartUnavailable`."""
    try:
        yield
    except RedisError as error:
        raise PartUnavailable(f"Redis does not answer ({error}): run `./souk up`") from error


log = structlog.get_logger()


def read_weights(redis: Redis) -> Weights:
    """Return the weights that answers use: stored ones, or the default ones of surfaces without any.

    Damaged weights are not used, and a warning is logged.

    Raises:
        PartUnavailable: Redis does not answer.
    """
    with redis_errors():
        packed: Any = redis.hget(STATE, WEIGHTS)
    try:
        return weights_in_use(packed)
    except UnusableWeights as error:
        log.warning("the stored weights are not used", reason=str(error))
        return DEFAULT_WEIGHTS


def store_weights(redis: Redis, weights: Weights) -> None:
    """Store the weights of the sources. They apply from the next answer on, also after a roll-back.

    Raises:
        UnusableWeights: readers would refuse them.
        PartUnavailable: Redis does not answer.
    """
    packed = pack_weights(weights)
    with redis_errors():
        redis.hset(STATE, mapping={WEIGHTS: packed})
