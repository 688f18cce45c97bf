"""The content of the files of metrics and domains."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from clickhouse.metric_catalogue.source import StrictModel

Unit = Literal["money", "count", "number", "share", "hours"]
"""`money` is in the smallest unit of the shop's currency; `share` is a fraction of 1."""

Better = Literal["more", "less", "neither"]
"""Which change of a metric is good news."""

Terms = Annotated[tuple[str, ...], Field(min_length=1)]
"""Names of measures that are added; one with a minus before its name is subtracted."""


class Ratio(StrictModel):
    """Two sums, the first divided by the second."""

    numerator: Terms
    denominator: Terms


class Quantile(StrictModel):
    """A value of a measure. Of n values in ascending order, it is the one at position ⌊percent · n / 100⌋,
    counted from 0: ClickHouse's `quantileExact`."""

    measure: str
    percent: int = Field(gt=0, lt=100)

    @property
    def column(self) -> str:
        """The name of the column with its value."""
        return f"{self.measure}_p{self.percent}"


class Domain(StrictModel):
    """A group of metrics."""

    title: str
    description: str


class MetricFile(StrictModel):
    """The content of a metric's file. `place` sorts the metrics of a domain.

    `dimensions` are those of the source by which the metric can be split; all of them if not given.
    `covered` is the share of its subject that a sum covers. If the numerator is 0 and the denominator is not,
    the sum covers nothing, and its value is empty and not 0. `relative_to` divides a ratio by another ratio.
    `marketplace` says what the definition does not say about the figure of the whole marketplace.
    """

    title: str
    definition: str
    formula: str
    unit: Unit
    better: Better
    place: int
    source: str
    sum: Terms | None = None
    ratio: Ratio | None = None
    quantile: Quantile | None = None
    covered: Ratio | None = None
    relative_to: Ratio | None = None
    dimensions: tuple[str, ...] | None = None
    edge_cases: tuple[str, ...]
    marketplace: str = ""
    since: date

    @model_validator(mode="after")
    def _has_one_kind(self) -> "MetricFile":
        if sum(kind is not None for kind in (self.sum, self.ratio, self.quantile)) != 1:
            raise ValueError("give one of sum, ratio and quantile")
        if self.covered and not self.sum:
            raise ValueError("covered is about a sum")
        if self.relative_to and not self.ratio:
            raise ValueError("relative_to divides a ratio")
        return self
