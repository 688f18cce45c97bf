"""Reads Redis' side of a comparison: sorted sets and hashes as tables."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import redis

from common.job_versions import LIVE_FIELD, key_prefix, state_key

_KEYS_PER_REQUEST = 1_000
"""Keys that are read in one round trip."""


class RedisSets:
    """The sorted sets and hashes that the live versions of the jobs write."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def scores(self, ranking: str) -> pa.Table:
        """Return every member of a ranking as product_id and score; no rows if it does not exist."""
        members: Any = self._client.zrange(self._prefix_of("rankings") + ranking, 0, -1, withscores=True)
        return pa.table(
            {
                "product_id": pa.array([member for member, _ in members], pa.string()),
                "score": pa.array([score for _, score in members], pa.float64()),
            }
        )

    def ranked(self, prefix: str, first: int, only: Sequence[str] | None = None) -> pa.Table:
        """Return the `first` best members of every sorted set of recommendations with a prefix.

        The columns are owner, member and score.

        An owner is the rest of the key. `only` limits the result to some owners.
        """
        owners: list[str] = []
        members: list[tuple[str, float]] = []
        prefix = self._prefix_of("recommendations") + prefix
        for keys in self._keys(prefix, only):
            pipeline: Any = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.zrange(key, 0, first - 1, desc=True, withscores=True)
            for key, found in zip(keys, pipeline.execute(), strict=True):
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
        """Return these fields of every hash of recommendations with a prefix; None for a missing field.

        The result maps the rest of a key to the fields.

        `only` limits the result to some owners.
        """
        found: dict[str, list[str | None]] = {}
        prefix = self._prefix_of("recommendations") + prefix
        for keys in self._keys(prefix, only):
            pipeline: Any = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.hmget(key, fields)
            owners = (key.removeprefix(prefix) for key in keys)
            found |= zip(owners, pipeline.execute(), strict=True)
        return found

    def _prefix_of(self, job: str) -> str:
        live: Any = self._client.hget(state_key(job), LIVE_FIELD)
        return key_prefix(live or "")

    def _keys(self, prefix: str, only: Sequence[str] | None) -> Iterator[list[str]]:
        keys: list[str] = (
            sorted(set(self._client.scan_iter(match=f"{prefix}*", count=_KEYS_PER_REQUEST)))
            if only is None
            else [prefix + owner for owner in only]
        )
        for start in range(0, len(keys), _KEYS_PER_REQUEST):
            yield keys[start : start + _KEYS_PER_REQUEST]
