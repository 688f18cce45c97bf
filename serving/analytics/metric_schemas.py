"""The responses about metrics of the catalogue: their definitions, their values, and the rows behind them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from clickhouse.metric_catalogue.source import MeasureUnit
from serving.kit.response_types import AsOf, Change, Moment, Period, Stale

Number = Annotated[
    int | float | None,
    Field(
        description="Money in the smallest unit of `currency`, a count, or a number with four decimals (a "
        "share is a fraction of 1). Null for a ratio whose denominator is not above 0, and for a quantile of "
        "nothing."
    ),
]
Values = Annotated[dict[str, Number], Field(description="Metric → value.", examples=[{"net_sales": 1299000}])]
Unit = Literal["money", "count", "number", "share", "hours"]
Version = Annotated[
    str,
    Field(description="Changes when the metric is computed in another way.", examples=["1d29d1c8"]),
]


class MetricDefinition(TypedDict):
    """What a metric means, and how it is computed."""

    name: Annotated[str, Field(examples=["net_sales"])]
    domain: Annotated[str, Field(examples=["sales"])]
    title: str
    definition: str
    formula: str
    unit: Unit
    better: Annotated[
        Literal["more", "less", "neither"], Field(description="Which change of the metric is good news.")
    ]
    dimensions: Annotated[list[str], Field(description="What it can be split by.", examples=[["product"]])]
    edge_cases: list[str]
    since: date
    version: Version


class MetricDefinitions(TypedDict):
    """All metrics of the catalogue."""

    metrics: list[MetricDefinition]


class MarketplaceExplanation(TypedDict):
    """What the figure of the whole marketplace is."""

    dimensions: Annotated[list[str], Field(description="What it can be split by.", examples=[["seller"]])]
    notes: Annotated[list[str], Field(description="How the figures of sellers make it.")]
    sql: Annotated[str, Field(description="The ClickHouse query of its series; `{…}` are its parameters.")]


class MetricExplanation(MetricDefinition):
    """The definition of a metric, with the source of its figures and the query of its series."""

    source: Annotated[str, Field(description="The rows that are added up.", examples=["sales_lines"])]
    tables: Annotated[list[str], Field(description="The tables that the rows come from.")]
    cost: Annotated[str, Field(description="What an answer reads.")]
    sql: Annotated[
        str | None,
        Field(
            description="The ClickHouse query of the series of one seller; `{…}` are its parameters. Null if "
            "it is a figure of the whole marketplace only."
        ),
    ]
    marketplace: Annotated[
        MarketplaceExplanation | None, Field(description="Null if it is a figure of single sellers only.")
    ]


class MetricTotal(TypedDict):
    """The value of one metric over the whole period, and over the compared period."""

    name: str
    title: str
    unit: Unit
    version: Version
    value: Number
    compared: Number
    change: Change


class MetricBucket(TypedDict):
    """The values of one hour, day, week (from Monday) or month."""

    start: Annotated[Moment, Field(description="Not before the period's `from`.")]
    end: Annotated[Moment, Field(description="Not after the period's `to`.")]
    values: Values


class MetricSplit(TypedDict):
    """The values of one value of the dimension, and those of the compared period."""

    value: Annotated[str, Field(examples=["health_beauty"])]
    label: Annotated[str | None, Field(description="The name of a product or a seller; else null.")]
    values: Values
    compared: Annotated[Values | None, Field(description="Null without a comparison.")]


class MetricRest(TypedDict):
    """All values of the dimension that are not listed, together."""

    count: Annotated[
        int,
        Field(
            description="How many values of the dimension these are, of those that the rows of the first "
            "metric have. 0 if only metrics with other rows have more."
        ),
    ]
    values: Annotated[
        Values,
        Field(
            description="Null for a metric whose parts do not add up to the total: one that counts orders "
            "where one order can have several values, one that counts different shoppers or sessions, or a "
            "quantile."
        ),
    ]


class MetricFilter(TypedDict):
    """The value that a dimension has in all rows that were read."""

    dimension: Annotated[str, Field(examples=["category"])]
    value: Annotated[str, Field(examples=["toys"])]


class MarketplaceMetrics(TypedDict):
    """Metrics of the whole marketplace: totals, a series, and the split by a dimension."""

    currency: Annotated[str, Field(examples=["BRL"])]
    timezone: Annotated[str, Field(examples=["America/Sao_Paulo"])]
    grain: Literal["hour", "day", "week", "month"]
    period: Period
    compare: Literal["previous", "year", "none"]
    compared_period: Annotated[
        Period | None,
        Field(
            description="The period of the values in `compared`. If `period` is unfinished, it has only the "
            "corresponding part."
        ),
    ]
    totals: list[MetricTotal]
    series: Annotated[list[MetricBucket], Field(description="Empty buckets are included.")]
    filter: Annotated[MetricFilter | None, Field(description="Null if all rows were read.")]
    by: Annotated[str | None, Field(description="The dimension of `split`.")]
    split: Annotated[
        list[MetricSplit],
        Field(
            description="Sorted by the first metric, the largest first; weekdays and hours in their order."
        ),
    ]
    rest: Annotated[MetricRest | None, Field(description="Null if `split` has every value.")]
    as_of: AsOf
    stale: Stale


class SellerMetrics(MarketplaceMetrics):
    """The same metrics of one seller."""

    seller_id: str


class MetricRow(TypedDict):
    """A row of which a metric is made, such as a line of an order, a return, a parcel, a review or a view."""

    order_id: str | None
    kind: Annotated[str | None, Field(description="What happened.", examples=["sold"])]
    at: Annotated[Moment, Field(description="The minute in which the row counts.")]
    line_number: int | None
    product_id: str | None
    label: Annotated[str | None, Field(description="The name of the product.")]
    reference: Annotated[
        str | None, Field(description="The id of what the row is about besides an order, such as a return.")
    ]
    value: Annotated[
        int,
        Field(
            description="What the row adds to the metric, or to a ratio's numerator, in `value_unit`; a row "
            "of a quantile has its own value. Where different shoppers or sessions are counted, 1."
        ),
    ]
    denominator: Annotated[
        int | None, Field(description="What the row adds to a ratio's denominator; null for other metrics.")
    ]


class MetricRows(TypedDict):
    """A page of the rows of which a metric is made, the newest first."""

    seller_id: str
    metric: str
    version: Version
    currency: Annotated[str, Field(examples=["BRL"])]
    value_unit: MeasureUnit
    denominator_unit: MeasureUnit | None
    period: Period
    rows: list[MetricRow]
    next_cursor: Annotated[str | None, Field(description="Null on the last page.")]
    as_of: AsOf
    stale: Stale
