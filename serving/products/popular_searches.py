"""The searches of many visitors, which are suggested to others while they type."""

from collections.abc import Mapping
from datetime import timedelta
from time import monotonic

from common.clock import system_clock
from serving.kit.clickhouse import Value
from serving.kit.problems import ClickHouseUnavailable, RedisUnavailable
from serving.kit.shared_queries import SharedQueries, whole_minute

DAYS = 30
"""The number of days from which searches count. Kafka and ClickHouse keep them as long."""

MIN_VISITORS = 5
"""A search of fewer visitors may say who they are, so nobody else sees it."""

MOST = 500

EVERY_S = 600.0


class PopularSearches:
    """Reads the searches now and then. While a store does not answer, the last known ones stay."""

    def __init__(self, queries: SharedQueries) -> None:
        self._queries = queries
        self._known: Mapping[str, int] = {}
        self._read_at = float("-inf")

    async def counts(self) -> Mapping[str, int]:
        """Return search → the number of its visitors."""
        if monotonic() - self._read_at >= EVERY_S:
            self._read_at = monotonic()  # also after a failure: nobody waits for it again
            since = whole_minute(system_clock() - timedelta(days=DAYS)).replace(minute=0)
            asked: dict[str, Value] = {"since": since, "visitors": MIN_VISITORS, "limit": MOST}
            try:
                [rows] = await self._queries.rows_of_all(EVERY_S, ("popular_searches", asked))
            except (ClickHouseUnavailable, RedisUnavailable):
                return self._known
            self._known = {row["search"]: int(row["searched_by"]) for row in rows}
        return self._known
