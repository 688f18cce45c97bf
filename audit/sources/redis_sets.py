"""Reads Redis' side of a comparison: sorted sets and hashes as tables."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import redis

from common.errors import PartUnavailable

_KEYS_PER_REQUEST = 1_000
"""Keys that are read in one round trip."""


class RedisSets:
    """Redis' sorted sets and hashes. Every method raises PartUnavailable if Redis does not answer."""

    def __init__(self, client: redis.Redis, url: str) -> None:
        self._client = client
        self._url = url

    def scores(self, key: str) -> pa.Table:
        """Return every member as product_id and score; no rows if the key does not exist."""
        try:
            members: Any = self._client.zrange(key, 0, -1, withscores=True)
        except redis.RedisError as error:
            raise self._unavailable(error) from error
        names = [member for member, _ in members]
        return pa.table(
            {
                "product_id": pa.array(names, pa.string()),
                "score": pa.array([s for _, s in members], pa.float64()),
            }
        )

    def ranked(self, prefix: str, first: int, only: Sequence[str] | None = None) -> pa.Table:
        """Return the `first` best members of every sorted set with a prefix: owner, member, score.

        An owner is the rest of the key. `only` limits the result to some owners.
        """
        owners: list[str] = []
        members: list[tuple[str, float]] = []
        for keys in self._keys(prefix, only):
            pipeline: Any = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.zrange(key, 0, first - 1, desc=True, withscores=True)
            for key, found in zip(keys, self._execute(pipeline), strict=True):
                owners += [key.removeprefix(prefix)] * len(found)
                members += found
        return pa.table(
            {
                "owner": pa.array(owners, pa.string()),
                "member": pa.array([member for member, _ in members], pa.string()),
                "score": pa.array([score for _, score in members], pa.float64()),
            }
        )

    def hashes(
        self, prefix: str, fields: Sequence[str], only: Sequence[str] | None = None
    ) -> dict[str, list[str | None]]:
        """Return these fields of every hash with a prefix, by the rest of the key; None for a missing field.

        `only` limits the result to some owners.
        """
        found: dict[str, list[str | None]] = {}
        for keys in self._keys(prefix, only):
            pipeline: Any = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.hmget(key, fields)
            owners = (key.removeprefix(prefix) for key in keys)
            found |= zip(owners, self._execute(pipeline), strict=True)
        return found

    def _keys(self, prefix: str, only: Sequence[str] | None) -> Iterator[list[str]]:
        try:
            keys: list[str] = (
                sorted(set(self._client.scan_iter(match=f"{prefix}*", count=_KEYS_PER_REQUEST)))
                if only is None
                else [prefix + owner for owner in only]
            )
        except redis.RedisError as error:
            raise self._unavailable(error) from error
        for start in range(0, len(keys), _KEYS_PER_REQUEST):
            yield keys[start : start + _KEYS_PER_REQUEST]

    def _execute(self, pipeline: Any) -> list[Any]:
        try:
            answers: list[Any] = pipeline.execute()
        except redis.RedisError as error:
            raise self._unavailable(error) from error
        return answers

    def _unavailable(self, error: redis.RedisError) -> PartUnavailable:
        return PartUnavailable(f"Redis at {self._url} does not answer: {error}")
