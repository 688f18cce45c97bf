"""Reads Redis' side of a comparison: a sorted set as a table."""

from typing import Any

import pyarrow as pa
import redis

from common.errors import PartUnavailable


class SortedSets:
    """Sorted sets of products, read through one client."""

    def __init__(self, client: redis.Redis, url: str) -> None:
        self._client = client
        self._url = url

    def scores(self, key: str) -> pa.Table:
        """Every member: product_id, score; no rows where the key does not exist.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        try:
            members: Any = self._client.zrange(key, 0, -1, withscores=True)
        except redis.RedisError as error:
            raise PartUnavailable(f"Redis at {self._url} does not answer: {error}") from error
        names = [member for member, _ in members]
        return pa.table(
            {
                "product_id": pa.array(names, pa.string()),
                "score": pa.array([s for _, s in members], pa.float64()),
            }
        )
