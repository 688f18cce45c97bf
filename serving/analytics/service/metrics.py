"""Returns metrics of the catalogue for a seller: totals, series, splits, and the rows behind them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from clickhouse.metric_catalogue import queries
from clickhouse.metric_catalogue.definition import Dimension, Metric, read_catalogue
from common.cursor import BadCursor, decode_cursor, encode_cursor
from serving.analytics.periods import (
    LATEST,
    Period,
    buckets,
    choose_grain,
    compared_period,
    period_a_year_before,
    previous_period,
)
from serving.analytics.presenters import metrics as presenter
from serving.analytics.presenters.sales import show_period
from serving.analytics.schemas.metrics import MetricRows, SellerMetrics
from serving.analytics.service.context import AnalyticsContext, PeriodRequest
from serving.catalogue.service import ProductName
from serving.clickhouse import Row, Value
from serving.problems import BadAnalyticsRequest, UnknownMetric

Compare = Literal["previous", "year", "none"]

DimensionName = Literal["product", "category", "weekday", "hour"]
"""The dimensions of every source."""

PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    """What is asked of a seller's metrics, which are given by name.

    `by` is the dimension to split by; its first `top` values by the first metric are listed, or all of a
    dimension whose values are known. `product_id` restricts everything to one product.
    """

    metrics: tuple[str, ...]
    period: PeriodRequest
    compare: Compare = "previous"
    by: str | None = None
    top: int = 10
    product_id: str | None = None


class MetricsService:
    """Returns the metrics of the catalogue."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def of_seller(self, seller_id: str, request: MetricsRequest) -> SellerMetrics:
        """Return metrics of one seller, compared with an earlier period.

        Raises:
            UnknownMetric: the catalogue has no metric of a name.
            BadAnalyticsRequest: a metric is asked for twice, they have different sources, or these can't be
                split by the dimension.
            UnknownSeller: the seller never registered and never sold anything.
        """
        metrics = [find_metric(name) for name in request.metrics]
        dimension = _check(metrics, request)
        as_of = await self._context.watermarks.as_of((metrics[0].source.table,))
        zone = self._context.zone
        period = await self._context.seller_period(seller_id, request.period)
        grain = request.period.grain or choose_grain(period)
        starts = buckets(period, grain, zone)
        before = self._compared(request.compare, period, as_of)
        parameters = self._parameters(seller_id, period, request.product_id)
        sql = queries.series_query(metrics, of_product=request.product_id is not None)
        by_bucket = {"grain": grain, "timezone": zone.key}
        rows, rows_before = await asyncio.gather(
            self._rows(sql, parameters | by_bucket),
            self._rows(sql, parameters | by_bucket | _bounds(before)) if before else _no_rows(),
        )
        await self._context.require_seller(seller_id, rows)
        split: list[Row] = []
        split_before: list[Row] | None = None
        if dimension:
            split, split_before = await self._split(metrics, dimension, request, parameters, before)
        names = await self._names(split, "value") if request.by == PRODUCT else {}
        now = presenter.added_up(metrics, rows)
        then = presenter.added_up(metrics, rows_before) if before else None
        return {
            "seller_id": seller_id,
            "currency": self._context.currency,
            "timezone": zone.key,
            "grain": grain,
            "period": show_period(period, zone),
            "compare": request.compare,
            "compared_period": show_period(before, zone) if before else None,
            "totals": [presenter.total(metric, now, then) for metric in metrics],
            "series": presenter.series(metrics, rows, starts, period, zone),
            "by": request.by,
            "split": presenter.split(metrics, dimension, split, split_before, names) if dimension else [],
            "rest": presenter.rest(metrics, split, dimension) if dimension else None,
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def rows_of_seller(
        self, seller_id: str, request: MetricsRequest, cursor: str | None, limit: int
    ) -> MetricRows:
        """Return a page of the rows that a metric adds up, the newest first.

        Raises: as `of_seller`, and
            BadCursor: the cursor is not one of this list.
        """
        metric = find_metric(request.metrics[0])
        as_of = await self._context.watermarks.as_of((metric.source.table,))
        period = await self._context.seller_period(seller_id, request.period)
        after_minute, after_row = _read_cursor(cursor, metric) if cursor else (LATEST, [])
        parameters = self._parameters(seller_id, period, request.product_id)
        parameters |= {"after_minute": after_minute, "after_row": after_row, "limit": limit + 1}
        sql = queries.rows_query(metric, of_product=request.product_id is not None)
        rows = await self._rows(sql, parameters)
        await self._context.require_seller(seller_id, rows)
        has_more, rows = len(rows) > limit, rows[:limit]
        names = await self._names(rows, "product_id")
        return {
            "seller_id": seller_id,
            "metric": metric.name,
            "version": metric.version,
            "currency": self._context.currency,
            "value_unit": metric.numerator_unit,
            "denominator_unit": metric.denominator_unit,
            "period": show_period(period, self._context.zone),
            "rows": [presenter.metric_row(metric, row, names, self._context.zone) for row in rows],
            "next_cursor": encode_cursor(int(rows[-1]["minute_s"]), *rows[-1]["row"]) if has_more else None,
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def _split(
        self,
        metrics: Sequence[Metric],
        dimension: Dimension,
        request: MetricsRequest,
        parameters: dict[str, Value],
        before: Period | None,
    ) -> tuple[list[Row], list[Row] | None]:
        """Return the rows of the values of a dimension, and those of the same values before."""
        of_product = request.product_id is not None
        given = parameters | {"timezone": self._context.zone.key}
        top = len(dimension.values) or request.top
        rows = await self._rows(
            queries.split_query(metrics, dimension, of_product=of_product), given | {"top": top}
        )
        if before is None:
            return rows, None
        listed = list(dimension.values) or [str(row["value"]) for row in rows if row["value"] is not None]
        compared = await self._rows(
            queries.compared_query(metrics, dimension, of_product=of_product),
            given | _bounds(before) | {"values": listed},
        )
        return rows, compared

    async def _rows(self, sql: str, parameters: dict[str, Value]) -> list[Row]:
        return await self._context.clickhouse.rows_of_sql("seller_metrics", sql, parameters)

    async def _names(self, rows: Sequence[Row], column: str) -> dict[str, ProductName]:
        products = sorted({str(row[column]) for row in rows if row[column] is not None})
        return dict(await self._context.catalogue.names(products)) if products else {}

    def _parameters(self, seller_id: str, period: Period, product_id: str | None) -> dict[str, Value]:
        product: dict[str, Value] = {} if product_id is None else {"product_id": product_id}
        return {
            "seller_id": seller_id,
            "currency": self._context.currency,
            **_bounds(period),
            **product,
        }

    def _compared(self, compare: Compare, period: Period, as_of: datetime | None) -> Period | None:
        """Return the period to compare with: as much of the earlier one as is over of this one."""
        if compare == "none":
            return None
        zone = self._context.zone
        earlier = previous_period if compare == "previous" else period_a_year_before
        before = earlier(period, zone)
        return compared_period(period, before, as_of, zone) if as_of else before


def find_metric(name: str) -> Metric:
    """Return the metric of a name.

    Raises:
        UnknownMetric: there is none.
    """
    metric = read_catalogue().get(name)
    if metric is None:
        raise UnknownMetric(name)
    return metric


def _check(metrics: Sequence[Metric], request: MetricsRequest) -> Dimension | None:
    """Return the dimension of a request.

    Raises:
        BadAnalyticsRequest: see `MetricsService.of_seller`.
    """
    if len(set(request.metrics)) < len(request.metrics):
        raise BadAnalyticsRequest("Request each metric once.")
    source = metrics[0].source
    if others := [metric.name for metric in metrics if metric.source.table != source.table]:
        raise BadAnalyticsRequest(f"Request {', '.join(others)} separately from {metrics[0].name}.")
    if request.by is None:
        return None
    dimensions = source.dimensions
    if request.by not in dimensions:
        raise BadAnalyticsRequest(
            f"{metrics[0].name} can't be split by {request.by!r}. Choose one of: {', '.join(dimensions)}."
        )
    return dimensions[request.by]


def _bounds(period: Period) -> dict[str, Value]:
    return {"period_start": period.start, "period_end": period.end}


async def _no_rows() -> list[Row]:
    return []


def _read_cursor(cursor: str, metric: Metric) -> tuple[datetime, list[str]]:
    minute, *row = decode_cursor(cursor, (int, *(str for _ in metric.source.row)))
    try:
        return datetime.fromtimestamp(int(minute), UTC), [str(part) for part in row]
    except (ValueError, OverflowError, OSError) as error:
        raise BadCursor from error
