"""What metrics are computed from: rows of sellers, their measures, and the dimensions that split them."""

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clickhouse.metric_catalogue.scope import MARKETPLACE, OF_SELLER, ONE_SELLER, Scope
from clickhouse.metrics.definition import read_definitions

MeasureUnit = Literal["money", "count", "milliseconds", "ten_thousandths"]
"""`milliseconds` are of a metric in hours, `ten_thousandths` of a quantile that is a number with decimals."""

OverSellers = Literal["adds_up", "overlaps", "none", "only"]
"""What a measure is over all sellers together. `adds_up`: the sum of theirs, except that an order of several
sellers counts once if the measure has `distinct`. `overlaps`: computed from all rows together, and not the
sum of theirs, such as first orders. `none`: it is about single sellers. `only`: sellers have none."""


SELLER = "seller"
"""The dimension that splits the figures of the marketplace by seller."""


class StrictModel(BaseModel):
    """A part of a file of the catalogue: it can't change, and a field that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Measure(StrictModel):
    """Integers of rows. Give one of `column`, `distinct_values` and `at_end`.

    `column` is added up; a metric can also take a quantile of it, which leaves out nulls. The column of a
    count of orders is 1 in the first line of an order and else 0. `of_product` is then the column that is 1
    in the first line of a product within an order, and `distinct` counts the orders in any group of rows.

    `distinct_values` counts the different values of an expression that are not null, such as shoppers. Such
    counts of two periods, products or sellers do not add up.

    `at_end` is a level, such as units in stock: of each product, that of the row with the latest time counts.
    Rows in which it is null say nothing about it. The levels of two products add up, those of two periods do
    not. A source must have a row of every product at each of the `{ends}`.
    """

    unit: MeasureUnit
    column: str = ""
    of_product: str = ""
    distinct: str = ""
    distinct_values: str = ""
    at_end: str = ""
    over_sellers: OverSellers = "adds_up"

    @model_validator(mode="after")
    def _has_one_kind(self) -> "Measure":
        if sum(map(bool, (self.column, self.distinct_values, self.at_end))) != 1:
            raise ValueError("give one of column, distinct_values and at_end")
        return self

    @property
    def digested(self) -> str:
        """What the version of a metric depends on: all fields, but a later one only if it is given."""
        fields = ", ".join(f"{name}={value!r}" for name, value in self if value or name != "at_end")
        return f"Measure({fields})"

    @property
    def adds_up(self) -> bool:
        """Whether its values in the parts of a period add up to that of the period."""
        return bool(self.column)


class Dimension(StrictModel):
    """What a figure can be split by: a SQL expression (String) over the source, and the join that it needs.

    `splits_orders`: one order can have several of its values. `splits_sellers`: its values are the sellers.
    `values` are all values, in their own order; empty if these are not known, as of products. `labels` are
    texts for some values. In `expression` and `join`, `{time}` is the source's time, and `{of_products}` a
    condition on `product_id`: it is a product of the rows. The marks of a scope are replaced, too.
    """

    title: str
    description: str
    expression: str
    join: str = ""
    splits_orders: bool = False
    splits_sellers: bool = False
    values: tuple[str, ...] = ()
    labels: Mapping[str, str] = Field(default_factory=dict)


class RowColumns(StrictModel):
    """The columns of a source that describe one of its rows to a reader; empty if it has no such column."""

    order: str = ""
    kind: str = ""
    line: str = ""
    product: str = ""
    reference: str = ""


class SourceFile(StrictModel):
    """The content of a source's file.

    `tables` are the tables that the rows come from; figures are complete up to the earliest of their `as_of`.
    `rows` is a SELECT of the rows of a scope, with its marks; without it, they are those of the only table.
    In it, `{ends}` stands for the ends of the parts of the period for which a query has values.
    `parts` are SELECTs that stand in `rows` for marks of their names, such as `{sessions}`. Of all sellers
    together, the `marketplace_parts` stand there instead; they must make the same rows, whose owners differ.
    A query of the marketplace reads `marketplace_block` rows of a table at a time; ClickHouse's default if 0.
    `product_tables` are those of them whose columns `seller_id` and `product_id` say which products the rows
    are about; only the first of `tables`, if not given. `dimensions` names files of `dimensions/`, and
    `own_dimensions` are of this source alone. `row` are the columns that identify a row, and `kinds` are the
    texts of its kinds. `cost` says what reading it costs.
    """

    description: str
    tables: tuple[str, ...] = Field(min_length=1)
    product_tables: tuple[str, ...] = ()
    rows: str = ""
    parts: dict[str, str] = Field(default_factory=dict)
    marketplace_parts: dict[str, str] = Field(default_factory=dict)
    marketplace_block: int = Field(default=0, ge=0)
    time: str = "minute"
    has_currency: bool = True
    row: tuple[str, ...]
    columns: RowColumns
    kinds: Mapping[str, str] = Field(default_factory=dict)
    cost: str
    measures: Mapping[str, Measure]
    dimensions: tuple[str, ...] = ()
    own_dimensions: Mapping[str, Dimension] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_rows(self) -> "SourceFile":
        if not self.rows and len(self.tables) > 1:
            raise ValueError("a source of several tables needs rows")
        texts = [self.rows, *self.parts.values()]
        if self.rows and not any(OF_SELLER in text for text in texts):
            raise ValueError(f"rows must say whose rows they are: WHERE {OF_SELLER}, not seller_id = …")
        if unknown := self.marketplace_parts.keys() - self.parts.keys():
            raise ValueError(f"marketplace_parts: {', '.join(sorted(unknown))} is not one of the parts")
        if unknown := set(self.product_tables) - set(self.tables):
            raise ValueError(f"product_tables: {', '.join(sorted(unknown))} is not one of the tables")
        return self


class Source:
    """Rows of sellers, each with one minute.

    `dimensions` are those by which the figures of a seller can be split, as in their files;
    `sellers` splits the figures of the marketplace by seller.
    """

    def __init__(self, name: str, file: SourceFile, shared: Mapping[str, Dimension]) -> None:
        self.name = name
        self.file = file
        self.time = file.time
        self.measures = file.measures
        self.dimensions: Mapping[str, Dimension] = {
            **{each: shared[each] for each in file.dimensions},
            **file.own_dimensions,
        }
        self.sellers = shared.get(SELLER)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables whose `as_of` limits that of a figure."""
        return self.file.tables

    def from_sql(self, scope: Scope = ONE_SELLER) -> str:
        """Return what stands behind FROM: a table, or the SELECT of the rows of a scope."""
        if not self.file.rows:
            return self.file.tables[0]
        rows = self.file.rows.strip()
        parts = self.file.parts | (self.file.marketplace_parts if scope.is_marketplace else {})
        for name, sql in parts.items():
            rows = rows.replace(f"{{{name}}}", sql.strip())
        return f"(\n{scope.complete(rows)}\n)"

    @property
    def has_products(self) -> bool:
        """Whether each row is about a product, so that figures can be restricted to one."""
        return bool(self.file.columns.product)

    @cached_property
    def version(self) -> str:
        """A digest of the rows: the versions of the tables that ClickHouse derives, and the SELECT."""
        derived = read_definitions()
        versions = [derived[table].version for table in self.tables if table in derived]
        rows = [self.from_sql(), *([self.from_sql(MARKETPLACE)] if self.file.marketplace_parts else [])]
        return sha256(repr((versions, *rows, self.time)).encode()).hexdigest()

    def completed(self, dimension: Dimension, scope: Scope) -> Dimension:
        """Return a dimension of this source with complete SQL."""
        products = " UNION ALL ".join(
            f"SELECT product_id FROM {table} WHERE {OF_SELLER}"
            for table in self.file.product_tables or self.file.tables[:1]
        )
        of_products = "true" if scope.reads_every_seller else f"product_id IN ({products})"

        def complete(sql: str) -> str:
            return scope.complete(sql.replace("{time}", self.time).replace("{of_products}", of_products))

        return dimension.model_copy(
            update={"expression": complete(dimension.expression), "join": complete(dimension.join)}
        )
