"""Compares the catalogue's queries about the marketplace with the reference, as those about sellers."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from audit.catalogue_figures import metric_table, of_marketplace
from audit.comparison import ComparisonSpec
from audit.comparisons.facts_vs_seller_metrics import PARTS, attempts_of, by_domain, shop_of
from audit.grains import Division
from audit.reference.domains import Family, Row
from audit.reference.totals import ALL_SELLERS, Part
from audit.sources.facts import FactTables
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from clickhouse.metric_catalogue.definition import Metric, read_every_metric

NAME = "facts_vs_marketplace_metrics"


def run(
    stores: Stores, catalogue: Mapping[str, Metric] | None = None, parts: Sequence[Part] = PARTS
) -> Iterator[TableComparison]:
    """Compare the metrics of each domain, for all sellers together."""
    metrics = [each for each in (catalogue or read_every_metric()).values() if each.is_of_marketplace]
    spec = ComparisonSpec(NAME, "of the marketplace", "reference", "metrics", "periods", ("period",))
    yield from by_domain(stores, spec, metrics, parts, _read)


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
    for division in divided:
        fetch = partial(of_marketplace, stores, metrics, division)
        found += facts.beside(family.events, fetch, attempts_of(stores, keys))
        shop = shop_of(stores, facts)
        calendars = {ALL_SELLERS: division.calendar(stores, shop.now_ms)}
        expected += family.values(shop, calendars.get, as_one=True)
    names = [metric.name for metric in metrics]
    left, right = (metric_table(names, rows).drop_columns(["seller_id"]) for rows in (expected, found))
    return Sides(left, right)
