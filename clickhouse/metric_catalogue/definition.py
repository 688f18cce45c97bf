"""Reads the definitions of metrics: one TOML file each, in the folder of its domain.

    sales/net_sales.toml      what a metric means, and the measures of which its value is made
    sources/sales_lines.toml  rows of sellers, their measures, and the dimensions that can split them
    dimensions/product.toml   a dimension of several sources
    domains.toml              the domains in the order in which pages list them

A metric is a sum of measures (`sum`), a ratio of two sums (`ratio`), or a quantile of a measure (`quantile`).
A sum can say which share of its subject it covers (`covered`); a ratio can be divided by another one
(`relative_to`).
The sums of a period are added up exactly, in integers; `values.py` makes the value of a metric from them.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from clickhouse.metric_catalogue.source import SELLER, Dimension, MeasureUnit, Source, SourceFile, StrictModel
from common.errors import SoukError

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


FOLDER = Path(__file__).parent
SOURCES, DIMENSIONS, DOMAINS = "sources", "dimensions", "domains.toml"

_VERSION_DIGITS = 8
_TERM = re.compile(r"-?[a-z_]+")
_NOT_TEXTS = frozenset(("source", "sum", "ratio", "quantile", "covered", "relative_to", "dimensions"))

COUNTED_ONCE = (
    "What several sellers share, such as an order, a shopper or a visit, counts once: the values of "
    "sellers can add up to more."
)
"""The note about a figure of the marketplace that counts different things."""

OF_ALL_ROWS = "Computed from the rows of all sellers together, and not from the values of sellers."
"""The note about a quantile of the marketplace."""


class BrokenDefinition(SoukError):
    """A file of the catalogue is not a definition. The message names the file."""


T = TypeVar("T")


@dataclass(frozen=True)
class Metric:
    """A metric of the catalogue. A sum has no `denominator`, a quantile neither numerator nor denominator."""

    name: str
    domain: str
    title: str
    definition: str
    formula: str
    unit: Unit
    better: Better
    place: int
    source: Source
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    quantile: Quantile | None
    covered: Ratio | None
    relative_to: Ratio | None
    dimension_names: tuple[str, ...] | None
    edge_cases: tuple[str, ...]
    marketplace: str
    since: date

    @cached_property
    def version(self) -> str:
        """A digest of what the value depends on, the rows of the source included. Texts do not change it."""
        measures = [self.source.measures[name].digested for name in self.measures]
        parts: tuple[Any, ...] = (
            self.unit,
            self.source.version,
            self.numerator,
            self.denominator,
            self.quantile,
            measures,
        )
        parts += tuple(each.model_dump() for each in (self.covered, self.relative_to) if each)
        return sha256(repr(parts).encode()).hexdigest()[:_VERSION_DIGITS]

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures of which the value is made."""
        if self.quantile:
            return (self.quantile.measure,)
        return _names((*self.numerator, *self.denominator, *_terms(self.covered, self.relative_to)))

    @property
    def row_measures(self) -> tuple[str, ...]:
        """The measures of the rows behind the value: without those that only say what it covers."""
        return self.measures if self.quantile else _names((*self.numerator, *self.denominator))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a query's result of which the value is made."""
        return (self.quantile.column,) if self.quantile else self.measures

    @property
    def numerator_unit(self) -> MeasureUnit:
        """The unit of a sum, of a ratio's numerator, or of the values of a quantile."""
        return self.source.measures[self.measures[0]].unit

    @property
    def denominator_unit(self) -> MeasureUnit | None:
        """The unit of a ratio's denominator; None for other metrics."""
        return self.source.measures[self.denominator[0].removeprefix("-")].unit if self.denominator else None

    @property
    def dimensions(self) -> Mapping[str, Dimension]:
        """The dimensions that the metric can be split by, by name."""
        every = self.source.dimensions
        return every if self.dimension_names is None else {name: every[name] for name in self.dimension_names}

    @property
    def is_of_sellers(self) -> bool:
        """Whether it has a value for each seller."""
        return all(self.source.measures[name].over_sellers != "only" for name in self.measures)

    @property
    def is_of_marketplace(self) -> bool:
        """Whether it has a value for all sellers together."""
        return all(self.source.measures[name].over_sellers != "none" for name in self.measures)

    @property
    def marketplace_dimensions(self) -> Mapping[str, Dimension]:
        """The dimensions that the figure of the marketplace can be split by, by name; none if it has none."""
        if not self.is_of_marketplace:
            return {}
        by_seller = self.source.sellers if self.is_of_sellers else None
        return {**({SELLER: by_seller} if by_seller else {}), **self.dimensions}

    def dimension(self, name: str) -> Dimension:
        """Return a dimension of the figures of a seller, or of those of the marketplace."""
        return (self.marketplace_dimensions or self.dimensions)[name]

    @property
    def marketplace_notes(self) -> tuple[str, ...]:
        """What a reader must know about the figure of the marketplace; nothing if there is none."""
        if not self.is_of_marketplace:
            return ()
        measures = [self.source.measures[name] for name in self.measures]
        shared = any(
            each.distinct or each.distinct_values or each.over_sellers == "overlaps" for each in measures
        )
        rule = COUNTED_ONCE if shared else OF_ALL_ROWS if self.quantile else "Adds up over all sellers."
        return (*([rule] if self.is_of_sellers else []), *filter(None, [self.marketplace]))

    @property
    def empty_value(self) -> int | None:
        """Its value if there are no rows: 0 for a sum, None for a ratio or a quantile."""
        return None if self.denominator or self.quantile else 0

    @property
    def adds_up(self) -> bool:
        """Whether its value over a period follows from the columns of the parts of the period."""
        return self.quantile is None and all(self.source.measures[name].adds_up for name in self.measures)

    def is_additive(self, dimension: Dimension) -> bool:
        """Return whether the values of the dimension add up to the total: not for orders by product."""
        measures = [self.source.measures[name] for name in self.measures]
        overlaps = any(
            (dimension.splits_orders and measure.distinct)
            or (dimension.splits_sellers and measure.over_sellers != "adds_up")
            for measure in measures
        )
        return self.adds_up and not overlaps


@cache
def read_domains(folder: Path = FOLDER) -> Mapping[str, Domain]:
    """Return every domain by name, in the order of pages."""
    return _read(folder / DOMAINS, TypeAdapter(dict[str, Domain]))


@cache
def read_catalogue(folder: Path = FOLDER) -> Mapping[str, Metric]:
    """Return every metric that sellers have, as `read_every_metric`."""
    return {name: metric for name, metric in read_every_metric(folder).items() if metric.is_of_sellers}


@cache
def read_every_metric(folder: Path = FOLDER) -> Mapping[str, Metric]:
    """Return every metric by name, in the order of the domains, and of the places in them.

    Raises:
        BrokenDefinition: a file is not a definition, or names a source, a measure, a dimension or a domain
            that is not there.
    """
    domains = list(read_domains(folder))
    shared = {path.stem: _read(path, TypeAdapter(Dimension)) for path in _files(folder / DIMENSIONS)}
    sources = {path.stem: _source(path, shared) for path in _files(folder / SOURCES)}
    metrics: dict[str, Metric] = {}
    for path in sorted(folder.glob("*/*.toml")):
        domain = path.parent.name
        if domain in (SOURCES, DIMENSIONS):
            continue
        if domain not in domains:
            raise BrokenDefinition(f"{path}: {DOMAINS} has no domain {domain!r}")
        if path.stem in metrics:
            raise BrokenDefinition(f"{path}: there is a metric {path.stem!r} in another folder, too")
        metrics[path.stem] = _metric(path, sources)
    in_order = sorted(metrics.values(), key=lambda each: (domains.index(each.domain), each.place, each.name))
    return {metric.name: metric for metric in in_order}


def _metric(path: Path, sources: Mapping[str, Source]) -> Metric:
    file = _read(path, TypeAdapter(MetricFile))
    if file.source not in sources:
        raise BrokenDefinition(f"{path}: there is no source {file.source!r} in {SOURCES}/")
    source = sources[file.source]
    numerator, denominator = (file.ratio.numerator, file.ratio.denominator) if file.ratio else (file.sum, ())
    terms = [*(file.sum or ()), *_terms(file.ratio, file.covered, file.relative_to)]
    for term in (*terms, *([file.quantile.measure] if file.quantile else ())):
        if not _TERM.fullmatch(term) or term.removeprefix("-") not in source.measures:
            raise BrokenDefinition(f"{path}: {term!r} is not a measure of {file.source}")
    if unknown := set(file.dimensions or ()) - source.dimensions.keys():
        raise BrokenDefinition(f"{path}: {', '.join(sorted(unknown))} is not a dimension of {file.source}")
    texts: dict[str, Any] = file.model_dump(exclude=set(_NOT_TEXTS))
    return Metric(
        name=path.stem,
        domain=path.parent.name,
        source=source,
        numerator=numerator or (),
        denominator=denominator,
        quantile=file.quantile,
        covered=file.covered,
        relative_to=file.relative_to,
        dimension_names=file.dimensions,
        **texts,
    )


def _source(path: Path, shared: Mapping[str, Dimension]) -> Source:
    file = _read(path, TypeAdapter(SourceFile))
    if unknown := set(file.dimensions) - shared.keys():
        raise BrokenDefinition(f"{path}: there is no {', '.join(sorted(unknown))} in {DIMENSIONS}/")
    return Source(path.stem, file, shared)


def _terms(*ratios: Ratio | None) -> list[str]:
    return [term for each in ratios if each for term in (*each.numerator, *each.denominator)]


def _names(terms: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term.removeprefix("-") for term in terms))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def _read(path: Path, kind: TypeAdapter[T]) -> T:
    try:
        return kind.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError, OSError) as error:
        raise BrokenDefinition(f"{path} is not a definition: {error}") from error
