"""The context of the analytics services keeps the spans of the sellers that were looked up last."""

import asyncio
from typing import Any, cast
from zoneinfo import ZoneInfo

from serving.kit.analytics_context import MAX_SPANS, AnalyticsContext
from serving.kit.clickhouse import ClickHouseQueries, Row


class EverySellerSold:
    """Stands for ClickHouse: every seller has one sale."""

    async def row(self, _query: str, **_parameters: str) -> Row:
        return {"first_minute": "2018-01-01 00:00:00", "newest_minute": "2018-01-01 00:00:00"}


def test_the_spans_of_the_sellers_looked_up_last_are_cached_up_to_a_limit() -> None:
    unused = cast(Any, None)
    clickhouse = cast(ClickHouseQueries, EverySellerSold())
    context = AnalyticsContext(ZoneInfo("UTC"), "BRL", clickhouse, unused, unused, unused, unused)

    async def look_up(*seller_ids: str) -> None:
        for seller_id in seller_ids:
            await context.seller_span(seller_id)

    asyncio.run(look_up("first", "second", *map(str, range(MAX_SPANS - 2)), "first", "one more"))

    assert context.cached_span("first") is not None
    assert context.cached_span("one more") is not None
    assert context.cached_span("second") is None
