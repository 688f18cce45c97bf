"""Reads the definitions of metrics: one TOML file each, in the folder of its domain.

    sales/net_sales.toml      what a metric means, and the measures of which its value is made
    sources/sales_lines.toml  the table that the measures add up, and the dimensions that can split them

A metric is a sum of measures (`sum`), or a ratio of two sums (`ratio`). The sums of a period are added up
exactly, in integers; `values.py` makes the value of a metric from them.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clickhouse.metrics.definition import read_definitions
from common.errors import SoukError

FOLDER = Path(__file__).parent
SOURCES = "sources"

Unit = Literal["money", "count", "number", "share"]
"""`money` is in the smallest unit of the shop's currency; `share` is a fraction of 1."""

Better = Literal["more", "less", "neither"]
"""Which change of a metric is good news."""

_VERSION_DIGITS = 8
_TERM = re.compile(r"-?[a-z_]+")


class BrokenDefinition(SoukError):
    """A file of the catalogue is not a definition. The message names the file."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


M = TypeVar("M", bound=_Model)


class Measure(_Model):
    """An integer column that is added up.

    The column of a count of orders is 1 in the first line of an order and else 0. `of_product` is then the
    column that is 1 in the first line of a product within an order, and `distinct` counts the orders in any
    group of rows.
    """

    unit: Literal["money", "count"]
    column: str
    of_product: str = ""
    distinct: str = ""


class Dimension(_Model):
    """What a figure can be split by: a SQL expression (String) over the source, and the join that it needs.

    `splits_orders`: one order can have several of its values. `values` are all values, in their own order;
    empty if these are not known, as of products.
    """

    description: str
    expression: str
    join: str = ""
    splits_orders: bool = False
    values: tuple[str, ...] = ()


class Source(_Model):
    """A table with one currency and one minute for each row. `row` are the columns that identify a row."""

    description: str
    table: str
    time: str
    row: tuple[str, ...]
    measures: Mapping[str, Measure]
    dimensions: Mapping[str, Dimension]


Terms = Annotated[tuple[str, ...], Field(min_length=1)]
"""Names of measures that are added; one with a minus before its name is subtracted."""


class Ratio(_Model):
    """Two sums, the first divided by the second."""

    numerator: Terms
    denominator: Terms


class _File(_Model):
    """The content of a metric's file."""

    title: str
    definition: str
    formula: str
    unit: Unit
    better: Better
    source: str
    sum: Terms | None = None
    ratio: Ratio | None = None
    edge_cases: tuple[str, ...]
    since: date

    @model_validator(mode="after")
    def _has_one_kind(self) -> "_File":
        if (self.sum is None) == (self.ratio is None):
            raise ValueError("give either sum or ratio")
        return self


@dataclass(frozen=True)
class Metric:
    """A metric of the catalogue. `denominator` is empty for a sum."""

    name: str
    domain: str
    title: str
    definition: str
    formula: str
    unit: Unit
    better: Better
    source: Source
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    edge_cases: tuple[str, ...]
    since: date

    @cached_property
    def version(self) -> str:
        """A digest of what the value depends on, the rows of the source included. Texts do not change it."""
        measures = [repr(self.source.measures[name]) for name in self.measures]
        parts = (self.unit, _version_of_rows(self.source.table), self.numerator, self.denominator, measures)
        return sha256(repr(parts).encode()).hexdigest()[:_VERSION_DIGITS]

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures of which the value is made."""
        return tuple(dict.fromkeys(term.removeprefix("-") for term in (*self.numerator, *self.denominator)))

    @property
    def numerator_unit(self) -> Literal["money", "count"]:
        """The unit of a sum, or of a ratio's numerator."""
        return self._unit_of(self.numerator)

    @property
    def denominator_unit(self) -> Literal["money", "count"] | None:
        """The unit of a ratio's denominator; None for a sum."""
        return self._unit_of(self.denominator) if self.denominator else None

    def _unit_of(self, terms: tuple[str, ...]) -> Literal["money", "count"]:
        return self.source.measures[terms[0].removeprefix("-")].unit

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the dimensions that the metric can be split by."""
        return tuple(self.source.dimensions)

    def is_additive(self, dimension: Dimension) -> bool:
        """Return whether the values of the dimension add up to the total: not for orders by product."""
        counts_orders = any(self.source.measures[name].distinct for name in self.measures)
        return not (dimension.splits_orders and counts_orders)


@cache
def read_catalogue(folder: Path = FOLDER) -> Mapping[str, Metric]:
    """Return every metric by name, sorted by domain and name.

    Raises:
        BrokenDefinition: a file is not a definition, or it names a source or a measure that is not there.
    """
    sources = {path.stem: _read(path, Source) for path in sorted((folder / SOURCES).glob("*.toml"))}
    metrics: dict[str, Metric] = {}
    for path in sorted(folder.glob("*/*.toml")):
        if path.parent.name == SOURCES:
            continue
        file = _read(path, _File)
        if file.source not in sources:
            raise BrokenDefinition(f"{path}: there is no source {file.source!r} in {SOURCES}/")
        if path.stem in metrics:
            raise BrokenDefinition(f"{path}: there is a metric {path.stem!r} in another folder, too")
        source = sources[file.source]
        numerator, denominator = (
            (file.ratio.numerator, file.ratio.denominator) if file.ratio else (file.sum or (), ())
        )
        for term in (*numerator, *denominator):
            if not _TERM.fullmatch(term) or term.removeprefix("-") not in source.measures:
                raise BrokenDefinition(f"{path}: {term!r} is not a measure of {file.source}")
        metrics[path.stem] = Metric(
            path.stem,
            path.parent.name,
            file.title,
            file.definition,
            file.formula,
            file.unit,
            file.better,
            source,
            numerator,
            denominator,
            file.edge_cases,
            file.since,
        )
    return metrics


@cache
def _version_of_rows(table: str) -> str:
    return read_definitions()[table].version


def _read(path: Path, model: type[M]) -> M:
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise BrokenDefinition(f"{path} is not a definition: {error}") from error
