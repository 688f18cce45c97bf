"""Reads all rows behind a metric of a seller, a slice of whole minutes after the other.

Each slice is a short query of its own. Thus, neither this process nor ClickHouse has all rows in memory, and
a slow client occupies no thread of ClickHouse.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from clickhouse.metric_catalogue import queries
from clickhouse.metric_catalogue.definition import Metric
from serving.analytics.presenters import row_export as presenter
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row, Value

SLICE_ROWS = 100_000
"""Rows of a slice: about 15 MB of memory while it is read."""

NAMES_AT_ONCE = 500
"""Products whose names are looked up at once: more ids would make the address of the query too long."""

_ALL = (1 << 32) - 1
_NAME = "seller_metric_export"


@dataclass
class RowExport:
    """All rows behind a metric in a period, the newest first."""

    metric: Metric
    as_of: datetime | None
    context: AnalyticsContext
    parameters: Mapping[str, Value]
    slices: Sequence[Row]
    first: "pa.Table | None" = None
    """The rows of the first slice, so that a failure is known before the response begins."""
    _names: dict[str, str | None] = field(default_factory=dict)

    async def tables(self) -> AsyncGenerator["pa.Table"]:
        """Yield the rows of each slice (`presenters.row_export.metric_rows`).

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        first, self.first = self.first, None
        if first is not None:
            yield first
        for each in self.slices[1:]:
            yield await self.read(each)

    async def read(self, each: Row) -> "pa.Table":
        """Return the rows of a slice."""
        start, end = (datetime.fromtimestamp(int(each[name]), UTC) for name in ("start_s", "end_s"))
        bounds: dict[str, Value] = {"period_start": start, "period_end": end}
        first_page: dict[str, Value] = {"after_minute": end, "after_row": [], "limit": _ALL}
        sql = queries.rows_query(self.metric, of_product="product_id" in self.parameters)
        content = await self.context.clickhouse.arrow_of_sql(
            _NAME, sql, {**self.parameters, **bounds, **first_page}
        )
        found = await asyncio.to_thread(_table, content)
        await self._look_up(presenter.product_ids(found))
        return await asyncio.to_thread(presenter.metric_rows, self.metric, found, self._names)

    async def _look_up(self, product_ids: Sequence[str]) -> None:
        missing = [each for each in product_ids if each not in self._names]
        for at in range(0, len(missing), NAMES_AT_ONCE):
            names = await self.context.product_names(missing[at : at + NAMES_AT_ONCE])
            self._names |= {each: names[each].name for each in names}


async def begin_export(
    context: AnalyticsContext,
    metric: Metric,
    as_of: datetime | None,
    seller_id: str,
    parameters: Mapping[str, Value],
    slice_rows: int = SLICE_ROWS,
) -> RowExport:
    """Divide the rows into slices, and read the first one.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
        ClickHouseUnavailable: ClickHouse does not answer.
    """
    sql = queries.slices_query(metric, of_product="product_id" in parameters)
    slices = await context.clickhouse.rows_of_sql(_NAME, sql, {**parameters, "slice_rows": slice_rows})
    await context.require_seller(seller_id, slices)
    export = RowExport(metric, as_of, context, parameters, slices)
    if slices:
        export.first = await export.read(slices[0])
    return export


def _table(content: bytes) -> "pa.Table":
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()
