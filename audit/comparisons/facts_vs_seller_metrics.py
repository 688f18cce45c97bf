"""Compares the catalogue's queries about every seller with the reference."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from audit.catalogue_figures import KEY, metric_table, of_sellers
from audit.comparison import ComparisonSpec
from audit.grains import Division, divisions, note_of_days
from audit.reference.domains import FAMILIES, Family, Row, fields
from audit.reference.shop import Shop
from audit.reference.totals import ALL_SELLERS, Calendar, Part
from audit.seller_sample import some_sellers
from audit.sources.facts import ATTEMPTS, FactTables
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from clickhouse.metric_catalogue.definition import Metric, read_every_metric

NAME = "facts_vs_seller_metrics"
PARTS: tuple[Part, ...] = ("total", "month", "week", "day", "hour")
AUDITED_PARTS: tuple[Part, ...] = ("total", "month")
"""What `./souk audit` compares: with the short parts, the comparison takes several times as long."""

SHORT_PARTS = frozenset(("week", "day", "hour"))
"""These parts of the time are compared for some sellers: see `audit/seller_sample.py`."""

ReadDomain = Callable[
    [Stores, FactTables, Family, Sequence[Metric], Sequence[Division], KeyFilter | None], Sides
]
"""Reads both sides of some metrics of a family in parts of the time: all rows, or those of some keys."""


def run(
    stores: Stores, catalogue: Mapping[str, Metric] | None = None, parts: Sequence[Part] = PARTS
) -> Iterator[TableComparison]:
    """Compare the metrics of each domain, for every seller."""
    metrics = [each for each in (catalogue or read_every_metric()).values() if each.is_of_sellers]
    spec = ComparisonSpec(NAME, "of every seller", "reference", "metrics", "seller periods", KEY)
    yield from by_domain(stores, spec, metrics, parts, _read)


def by_domain(
    stores: Stores, spec: ComparisonSpec, metrics: Sequence[Metric], parts: Sequence[Part], read: ReadDomain
) -> Iterator[TableComparison]:
    """Yield a comparison like `spec` for each domain of metrics; `what` of `spec` says whose they are."""
    facts, divided = FactTables(stores.clickhouse, fields()), divisions(stores, parts)
    for family in FAMILIES.values():
        own = [metric for metric in metrics if metric.name in family.formulas]
        if own:
            what = f"{family.domain} {spec.what}, {len(own)} metrics: {', '.join(parts)}"
            own_read = partial(read, stores, facts, family, own, divided)
            yield TableComparison(replace(spec, what=what), own_read, notes=note_of_days(stores))


def attempts_of(stores: Stores, keys: KeyFilter | None) -> int:
    """Return how often both sides are read: the first time on an open shop once, as rows are read again."""
    return ATTEMPTS if keys or stores.today is None else 1


def shop_of(stores: Stores, facts: FactTables) -> Shop:
    """Return what the reference computes metrics from: the events that were read, all of them before now."""
    return Shop(facts.events, stores.currency, stores.timezone, stores.clickhouse.now_ms(), facts.kept)


def _read(
    stores: Stores,
    facts: FactTables,
    family: Family,
    metrics: Sequence[Metric],
    divided: Sequence[Division],
    keys: KeyFilter | None,
) -> Sides:
    expected: list[Row] = []
    found: list[Row] = []
    everyone = None if keys is None else frozenset(keys.values)
    has_short_parts = any(division.part in SHORT_PARTS for division in divided)
    some = frozenset(some_sellers(stores) if has_short_parts else ())
    some = some if everyone is None else some & everyone
    for division in divided:
        sellers = some if division.part in SHORT_PARTS else everyone
        fetch = partial(of_sellers, stores, metrics, division, sellers)
        found += facts.beside(family.events, fetch, attempts_of(stores, keys))
        shop = shop_of(stores, facts)
        expected += family.values(shop, _calendars(division.calendar(stores, shop.now_ms), sellers))
    names = [metric.name for metric in metrics]
    return Sides(metric_table(names, expected), metric_table(names, found))


def _calendars(calendar: Calendar, sellers: Collection[str] | None) -> Callable[[str], Calendar | None]:
    """Return the calendar of every seller, or of those that are asked for."""
    if sellers is None:
        return lambda owner: None if owner == ALL_SELLERS else calendar
    return dict.fromkeys(sellers, calendar).get
