"""Returns metrics of the catalogue for a seller: totals, series, splits, and the rows behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from clickhouse.metric_catalogue import queries
from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from common.cursor import BadCursor, decode_cursor, encode_cursor
from serving.analytics.periods import (
    LATEST,
    Period,
    buckets,
    choose_grain,
    earlier_period,
)
from serving.analytics.presenters import metrics as presenter
from serving.analytics.presenters.sales import show_period
from serving.analytics.schemas.metrics import MetricRows, SellerMetrics
from serving.analytics.service.context import AnalyticsContext, PeriodRequest
from serving.analytics.service.metric_figures import FiguresReader, FiguresRequest, bounds
from serving.analytics.service.row_export import RowExport, begin_export
from serving.clickhouse import Value
from serving.problems import BadAnalyticsRequest, UnknownMetric

Compare = Literal["previous", "year", "none"]


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    """What is asked of a seller's metrics, which are given by name.

    `by` is the dimension to split by; its first `top` values by the first metric are listed, or all of a
    dimension whose values are known. Metrics can have different sources. `product_id` restricts everything to
    one product.
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
        self._reader = FiguresReader(context)

    async def of_seller(self, seller_id: str, request: MetricsRequest) -> SellerMetrics:
        """Return metrics of one seller, compared with an earlier period.

        Raises:
            UnknownMetric: the catalogue has no metric of a name.
            BadAnalyticsRequest: a metric is asked for twice, can't be split by the dimension, or can't be
                restricted to a product.
            UnknownSeller: the seller never registered and never sold anything.
        """
        metrics = [find_metric(name) for name in request.metrics]
        _check(metrics, request)
        as_of = await self._context.watermarks.as_of(_tables(metrics))
        zone = self._context.zone
        period = await self._context.seller_period(seller_id, request.period)
        grain = request.period.grain or choose_grain(period)
        starts = buckets(period, grain, zone)
        asked = FiguresRequest(
            request.metrics,
            request.by,
            request.top,
            request.product_id is not None,
            grain,
            self._parameters(seller_id, period, request.product_id),
            self._compared(request.compare, period, as_of),
        )
        found = await self._reader.read(metrics, asked)
        await self._context.require_seller(seller_id, [row for each in found for row in each.series])
        by_name = {metric.name: each for each in found for metric in each.metrics}
        split, rest = await self._reader.split(found, asked)
        return {
            "seller_id": seller_id,
            "currency": self._context.currency,
            "timezone": zone.key,
            "grain": grain,
            "period": show_period(period, zone),
            "compare": request.compare,
            "compared_period": show_period(asked.before, zone) if asked.before else None,
            "totals": [
                presenter.total(metric, by_name[metric.name].now, by_name[metric.name].then)
                for metric in metrics
            ],
            "series": presenter.series(
                request.metrics,
                [presenter.by_start(each.metrics, each.series, starts) for each in found],
                starts,
                period,
                zone,
            ),
            "by": request.by,
            "split": split,
            "rest": rest,
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def rows_of_seller(
        self, seller_id: str, request: MetricsRequest, cursor: str | None, limit: int
    ) -> MetricRows:
        """Return a page of the rows of which a metric is made, the newest first.

        Raises: as `of_seller`, and
            BadCursor: the cursor is not one of this list.
        """
        metric = find_metric(request.metrics[0])
        _check([metric], request)
        as_of = await self._context.watermarks.as_of(_tables([metric]))
        period = await self._context.seller_period(seller_id, request.period)
        after_minute, after_row = _read_cursor(cursor, metric) if cursor else (LATEST, [])
        parameters = self._parameters(seller_id, period, request.product_id)
        parameters |= {"after_minute": after_minute, "after_row": after_row, "limit": limit + 1}
        sql = queries.rows_query(metric, of_product=request.product_id is not None)
        rows = await self._reader.rows(sql, parameters)
        await self._context.require_seller(seller_id, rows)
        has_more, rows = len(rows) > limit, rows[:limit]
        names = await self._context.product_names(
            [row["product_text"] for row in rows if row.get("product_text")]
        )
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

    async def export_of_seller(self, seller_id: str, request: MetricsRequest) -> RowExport:
        """Return all rows of which a metric is made, the newest first, in slices.

        Raises: as `of_seller`.
        """
        metric = find_metric(request.metrics[0])
        _check([metric], request)
        as_of = await self._context.watermarks.as_of(_tables([metric]))
        period = await self._context.seller_period(seller_id, request.period)
        parameters = self._parameters(seller_id, period, request.product_id)
        return await begin_export(self._context, metric, as_of, seller_id, parameters)

    def _parameters(self, seller_id: str, period: Period, product_id: str | None) -> dict[str, Value]:
        product: dict[str, Value] = {} if product_id is None else {"product_id": product_id}
        return {
            "seller_id": seller_id,
            "currency": self._context.currency,
            "timezone": self._context.zone.key,
            **bounds(period),
            **product,
        }

    def _compared(self, compare: Compare, period: Period, as_of: datetime | None) -> Period | None:
        """Return the period to compare with: as much of the earlier one as is over of this one."""
        if compare == "none":
            return None
        return earlier_period(compare, period, as_of, self._context.zone)


def find_metric(name: str) -> Metric:
    """Return the metric of a name.

    Raises:
        UnknownMetric: there is none.
    """
    metric = read_catalogue().get(name)
    if metric is None:
        raise UnknownMetric(name)
    return metric


def _check(metrics: Sequence[Metric], request: MetricsRequest) -> None:
    """Check what metrics are asked for.

    Raises:
        BadAnalyticsRequest: see `MetricsService.of_seller`.
    """
    if len(set(request.metrics)) < len(request.metrics):
        raise BadAnalyticsRequest("Request each metric once.")
    for metric in metrics:
        if request.product_id is not None and not metric.source.has_products:
            raise BadAnalyticsRequest(f"{metric.name} can't be restricted to a product. Leave product out.")
        if request.by is not None and request.by not in metric.dimensions:
            raise BadAnalyticsRequest(
                f"{metric.name} can't be split by {request.by!r}. "
                f"Choose one of: {', '.join(metric.dimensions)}."
            )


def _tables(metrics: Sequence[Metric]) -> list[str]:
    return list(dict.fromkeys(table for metric in metrics for table in metric.source.tables))


def _read_cursor(cursor: str, metric: Metric) -> tuple[datetime, list[str]]:
    minute, *row = decode_cursor(cursor, (int, *(str for _ in metric.source.file.row)))
    try:
        return datetime.fromtimestamp(int(minute), UTC), [str(part) for part in row]
    except (ValueError, OverflowError, OSError) as error:
        raise BadCursor from error
