"""Reads Redis' side of a comparison: sorted sets and hashes as tables."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import redis

from common.errors import PartUnavailable

_TOGETHER = 1_000
"""Keys that are read in one round trip."""


class SortedSets:
    """Sorted sets and hashes of products, read through one client.

    Every method raises PartUnavailable where Redis does not answer.
    """

    def __init__(self, client: redis.Redis, url: str) -> None:
        self._client = client
        self._url = url

    def scores(self, key: str) -> pa.Table:
        """Every member: product_id, score; no rows where the key does not exist."""
        try:
            members: Any = self._client.zrange(key, 0, -1, withscores=True)
        except redis.RedisError as error:
            raise self._away(error) from error
        names = [member for member, _ in members]
        return pa.table(
            {
                "product_id": pa.array(names, pa.string()),
                "score": pa.array([s for _, s in members], pa.float64()),
            }
        )

    def ranked(self, prefix: str, first: int) -> pa.Table:
        """The first members of every sorted set under a prefix: owner (the key's rest), member, score."""
        owners: list[str] = []
        members: list[tuple[str, float]] = []
        for keys in self._keys(prefix):
            pipeline: Any = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.zrange(key, 0, first - 1, desc=True, withscores=True)
            for key, found in zip(keys, self._sent(pipeline), strict=True):
                owners += [key.removeprefix(prefix)] * len(found)
                members += found
        return pa.table(
            {
                "owner": pa.array(owners, pa.string()),
                "member": pa.array([member for member, _ in members], pa.string()),
                "score": pa.array([score for _, score in members], pa.float64()),
            }
        )

    def hashes(self, prefix: str, fields: Sequence[str]) -> dict[str, list[str | None]]:
        """These fields of every hash under a prefix, by the key's rest; None where it has not the field."""
        found: dict[str, list[str | None]] = {}
        for keys in self._keys(prefix):
            pipeline: Any = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.hmget(key, fields)
            owners = (key.removeprefix(prefix) for key in keys)
            found |= zip(owners, self._sent(pipeline), strict=True)
        return found

    def _keys(self, prefix: str) -> Iterator[list[str]]:
        try:
            keys: list[str] = sorted(set(self._client.scan_iter(match=f"{prefix}*", count=_TOGETHER)))
        except redis.RedisError as error:
            raise self._away(error) from error
        for start in range(0, len(keys), _TOGETHER):
            yield keys[start : start + _TOGETHER]

    def _sent(self, pipeline: Any) -> list[Any]:
        try:
            answers: list[Any] = pipeline.execute()
        except redis.RedisError as error:
            raise self._away(error) from error
        return answers

    def _away(self, error: redis.RedisError) -> PartUnavailable:
        return PartUnavailable(f"Redis at {self._url} does not answer: {error}")
