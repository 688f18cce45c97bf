"""Reads the figures of metrics, which can have several sources: series, totals, and splits by a dimension."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clickhouse.metric_catalogue import queries
from clickhouse.metric_catalogue.definition import Metric
from clickhouse.metric_catalogue.scope import Scope
from clickhouse.metric_catalogue.source import SELLER, Dimension
from clickhouse.metric_catalogue.values import Value as Figure
from serving.analytics.presenters import metrics as presenter
from serving.analytics.schemas.metrics import MetricRest, MetricSplit
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row, Value
from serving.kit.periods import Grain, Period

PRODUCT = "product"
"""The dimension whose values have names in the catalogue of products."""


@dataclass(frozen=True, slots=True)
class FiguresRequest:
    """What is read: which metrics, of whom, how these are split, parameters of all queries, and periods.

    `by` is the dimension to split by, and `top` the number of its values to list if these are not known.
    `only` is a dimension that has the value of the parameter `only` in all rows.
    """

    names: tuple[str, ...]
    scope: Scope
    by: str | None
    top: int
    of_product: bool
    grain: Grain
    parameters: dict[str, Value]
    before: Period | None
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of metrics of one source: rows of the series, and columns of the totals, now and before.

    `split` has the rows of the dimension's values now, if it was asked for.
    """

    metrics: Sequence[Metric]
    series: list[Row]
    now: presenter.Columns
    then: presenter.Columns | None
    split: list[Row]


class FiguresReader:
    """Reads figures of metrics from ClickHouse."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def read(self, metrics: Sequence[Metric], asked: FiguresRequest) -> list[Figures]:
        """Return the figures of metrics by source, those of the first metric's source first."""
        first, *others = _by_source(metrics)
        if asked.by is None:
            return await asyncio.gather(*(self._figures(each, asked) for each in [first, *others]))
        dimension = first[0].dimension(asked.by)
        top: dict[str, Value] = {"top": len(dimension.values) or asked.top}
        ranked = await self._figures(first, asked, queries.FIRST_VALUES, top)
        values: dict[str, Value] = {"values": _listed(dimension, ranked.split)}
        known = (self._figures(each, asked, queries.GIVEN_VALUES, values) for each in others)
        return [ranked, *await asyncio.gather(*known)]

    async def _figures(
        self,
        metrics: Sequence[Metric],
        asked: FiguresRequest,
        is_listed: str = "",
        listed: Mapping[str, Value] | None = None,
    ) -> Figures:
        """Return the series, the totals and the split of metrics of one source, and the totals before.

        `is_listed`, with its parameters, says which values of the dimension are listed.
        """
        only = _only(metrics, asked)
        totals = queries.totals_query(metrics, of_product=asked.of_product, scope=asked.scope, only=only)
        if asked.by is None:
            series = queries.series_query(metrics, of_product=asked.of_product, scope=asked.scope, only=only)
        else:
            series = queries.series_and_split_query(
                metrics,
                metrics[0].dimension(asked.by),
                of_product=asked.of_product,
                scope=asked.scope,
                is_listed=is_listed,
                only=only,
            )
        of_series: dict[str, Value] = {"grain": asked.grain, **(listed or {})}
        rows, then = await asyncio.gather(
            self.rows(series, asked.parameters | of_series),
            self.rows(totals, asked.parameters | bounds(asked.before)) if asked.before else _no_rows(),
        )
        split = [row for row in rows if row["bucket"] is None]
        by_bucket = [row for row in rows if row["bucket"] is not None]
        now = [row for row in by_bucket if int(row["bucket"]) == queries.WHOLE_PERIOD]
        buckets = [row for row in by_bucket if int(row["bucket"]) != queries.WHOLE_PERIOD]
        return Figures(
            metrics,
            buckets,
            presenter.columns_of(metrics, now or buckets),
            presenter.columns_of(metrics, then) if asked.before else None,
            split,
        )

    async def split(
        self, found: Sequence[Figures], asked: FiguresRequest
    ) -> tuple[list[MetricSplit], MetricRest | None]:
        """Return the figures of the values of a dimension, the first of them by the first metric."""
        if asked.by is None:
            return [], None
        dimension = found[0].metrics[0].dimension(asked.by)
        listed = _listed(dimension, found[0].split)
        now = [presenter.parts(each.metrics, each.split) for each in found]
        then: list[presenter.Parts | None] = [None] * len(found)
        if asked.before:
            compared = asked.parameters | bounds(asked.before)
            then = [*await asyncio.gather(*(self._parts(each, compared, listed, asked) for each in found))]
        split = presenter.split(
            [(each.metrics, part, before) for each, part, before in zip(found, now, then, strict=True)],
            listed,
            asked.names,
            await self._names(asked.by, dimension, listed),
        )
        others = [[row for row in each.split if row["value"] is None] for each in found]
        count = sum(int(row["value_count"]) for row in others[0])
        rest = presenter.rest(
            [(each.metrics, rows) for each, rows in zip(found, others, strict=True)],
            asked.names,
            asked.by,
            count,
        )
        return split, rest if count or any(rest["values"].values()) else None

    async def _parts(
        self, figures: Figures, parameters: dict[str, Value], listed: list[str], asked: FiguresRequest
    ) -> presenter.Parts:
        """Return the columns of metrics of one source for the listed values of the dimension."""
        metrics, dimension = figures.metrics, figures.metrics[0].dimension(asked.by or "")
        sql = queries.compared_query(
            metrics,
            dimension,
            of_product=asked.of_product,
            scope=asked.scope,
            only=_only(metrics, asked),
        )
        return presenter.parts(metrics, await self.rows(sql, parameters | {"values": listed}))

    async def _names(self, by: str, dimension: Dimension, values: Sequence[str]) -> Mapping[str, str | None]:
        """Return the names of products or sellers; of another dimension, the texts for some of its values."""
        if by == SELLER:
            return dict(await self._context.names.of_sellers(values))
        if by != PRODUCT:
            return dimension.labels
        products = await self._context.product_names(values)
        return {product_id: product.name for product_id, product in products.items()}

    async def rows(self, sql: str, parameters: dict[str, Value]) -> list[Row]:
        """Return the rows of a query of `clickhouse.metric_catalogue.queries`."""
        return await self._context.clickhouse.rows_of_sql("seller_metrics", sql, parameters)


def _only(metrics: Sequence[Metric], asked: FiguresRequest) -> Dimension | None:
    """Return the dimension that restricts the rows of these metrics."""
    return metrics[0].dimension(asked.only) if asked.only else None


def _listed(dimension: Dimension, ranked: Sequence[Row]) -> list[str]:
    """Return the values of a dimension to list: all of them if they are known, or those that were ranked."""
    return list(dimension.values) or [str(row["value"]) for row in ranked if row["value"] is not None]


def bounds(period: Period) -> dict[str, Value]:
    """Return the parameters of a period."""
    return {"period_start": period.start, "period_end": period.end}


async def _no_rows() -> list[Row]:
    return []


async def totals_of_seller(
    context: AnalyticsContext, query: str, seller_id: str, metrics: Sequence[Metric], period: Period
) -> dict[str, Figure]:
    """Return the values of metrics of a seller over a period. `query` names the queries in metrics.

    Raises:
        ClickHouseUnavailable: ClickHouse does not answer.
    """
    parameters: dict[str, Value] = {
        "seller_id": seller_id,
        "currency": context.currency,
        "timezone": context.zone.key,
        **bounds(period),
    }
    found: dict[str, Figure] = {}
    for own in _by_source(metrics):
        sql = queries.totals_query(own, of_product=False)
        rows = await context.clickhouse.rows_of_sql(query, sql, parameters)
        found |= presenter.values(own, presenter.columns_of(own, rows))
    return {metric.name: found[metric.name] for metric in metrics}


def _by_source(metrics: Sequence[Metric]) -> list[list[Metric]]:
    """Return the metrics of each source, that of the first metric first."""
    groups: dict[str, list[Metric]] = {}
    for metric in metrics:
        groups.setdefault(metric.source.name, []).append(metric)
    return list(groups.values())
