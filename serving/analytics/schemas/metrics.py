"""The responses about metrics of the catalogue: their definitions, their values, and the rows behind them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.analytics.schemas.basics import AsOf, Change, Moment, Period, Stale

Number = Annotated[
    int | float | None,
    Field(
        description="Money in the smallest unit of `currency`, a count, or a number with four decimals (a "
        "share is a fraction of 1). Null for a ratio whose denominator is not above 0."
    ),
]
Values = Annotated[dict[str, Number], Field(description="Metric → value.", examples=[{"net_sales": 1299000}])]
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
    unit: Literal["money", "count", "number", "share"]
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


class MetricExplanation(MetricDefinition):
    """The definition of a metric, with the source of its figures and the query of its series."""

    source: Annotated[str, Field(description="The table that is added up.", examples=["sales_lines"])]
    sql: Annotated[
        str,
        Field(description="The ClickHouse query of the series of one seller; `{…}` are its parameters."),
    ]


class MetricTotal(TypedDict):
    """The value of one metric over the whole period, and over the compared period."""

    name: str
    title: str
    unit: Literal["money", "count", "number", "share"]
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
    label: Annotated[str | None, Field(description="The name of a product; else null.")]
    values: Values
    compared: Annotated[Values | None, Field(description="Null without a comparison.")]


class MetricRest(TypedDict):
    """All values of the dimension that are not listed, together."""

    count: Annotated[int, Field(description="How many values of the dimension these are.")]
    values: Annotated[
        Values,
        Field(
            description="Null for a metric that counts orders where one order can have several values: the "
            "parts would not add up to the total."
        ),
    ]


class SellerMetrics(TypedDict):
    """Metrics of one seller: totals, a series, and the split by a dimension."""

    seller_id: str
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


class MetricRow(TypedDict):
    """A row that a metric adds up: a line of an order, or its cancellation or return."""

    order_id: str
    kind: Annotated[Literal["sold", "cancelled", "returned"], Field(description="What happened to the line.")]
    at: Annotated[Moment, Field(description="The minute of the order.")]
    line_number: int
    product_id: str
    label: Annotated[str | None, Field(description="The name of the product.")]
    value: Annotated[
        int, Field(description="What the row adds to the metric, or to a ratio's numerator, in `value_unit`.")
    ]
    denominator: Annotated[
        int | None, Field(description="What the row adds to a ratio's denominator; null for a sum.")
    ]


class MetricRows(TypedDict):
    """A page of the rows that a metric adds up, the newest first."""

    seller_id: str
    metric: str
    version: Version
    currency: Annotated[str, Field(examples=["BRL"])]
    value_unit: Literal["money", "count"]
    denominator_unit: Literal["money", "count"] | None
    period: Period
    rows: list[MetricRow]
    next_cursor: Annotated[str | None, Field(description="Null on the last page.")]
    as_of: AsOf
    stale: Stale
