"""Compares what people get with the reference: the API's JSON, its CSV and Parquet files, and the pages."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache, cached_property, partial
from urllib.parse import quote, unquote
from zlib import crc32

import pyarrow as pa

from audit.catalogue_figures import KEY, metric_table
from audit.comparison import ComparisonSpec
from audit.comparisons.facts_vs_seller_metrics import shop_of
from audit.grains import Division, divisions, note_of_days
from audit.reference.arithmetic import HOUR_MS, Value
from audit.reference.domains import FAMILIES, Values, fields
from audit.reference.shop import Shop
from audit.reference.totals import ALL_SELLERS, Calendar, midnight_ms
from audit.seller_sample import EVERY, largest_sellers, some_sellers
from audit.sources.api import ApiRequest, Row, RowsOf
from audit.sources.facts import FactTables
from audit.sources.metrics_page import read_page, shows
from audit.sources.served_metrics import csv_rows, json_rows, parquet_rows, requests
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from clickhouse.metric_catalogue.definition import Metric, read_catalogue, read_every_metric

NAME = "facts_vs_served_metrics"
AT_ONCE = 3
"""So many requests are sent at once. Each of them takes a dozen queries."""

Figures = dict[tuple[str, str], Values]
"""Owner and part of the time → the values of all metrics."""

PAGE_KEY = ("seller_id", "metric")
PAGES = ComparisonSpec(NAME, "figures on the pages of metrics", "reference", "page", "metrics", PAGE_KEY)


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare metrics of some sellers and of the marketplace by month, in each form that the API has."""
    reader = _Reader(stores)
    sellers = tuple(read_catalogue())
    everyone = tuple(name for name, metric in read_every_metric().items() if metric.is_of_marketplace)
    month_of = reader.month_of
    table_csv = partial(csv_rows, stores.currency, month_of)
    for whose, owners, names, forms in (
        (
            "some sellers",
            reader.sellers,
            sellers,
            (
                ("API", "", partial(json_rows, month_of)),
                ("CSV", "/export.csv", table_csv),
                ("Parquet", "/export.parquet", partial(parquet_rows, stores.currency, month_of)),
            ),
        ),
        (
            "the marketplace",
            lambda _keys: [ALL_SELLERS],
            everyone,
            (("API", "", partial(json_rows, month_of)), ("CSV", "/export.csv", table_csv)),
        ),
    ):
        for label, form, rows_of in forms:
            spec = ComparisonSpec(
                NAME, f"metrics of {whose} by month", "reference", label, "seller months", KEY
            )
            series = partial(reader.series, owners, names, form, rows_of)
            yield TableComparison(spec, series, notes=note_of_days(stores))
    yield TableComparison(PAGES, reader.pages, notes=note_of_days(stores))


class _Reader:
    """Reads both sides of all comparisons."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._facts = FactTables(stores.clickhouse, fields())
        self._known: dict[object, Figures] = {}
        self._known_of: object = None
        self._is_read: set[tuple[str, ...]] = set()
        self._ended: frozenset[str] = frozenset()

    def sellers(self, keys: KeyFilter | None) -> list[str]:
        """Return the sellers that are compared, or those of them that are asked for."""
        found = some_sellers(self._stores)
        return found if keys is None else [seller_id for seller_id in found if seller_id in keys.values]

    def month_of(self, start: datetime) -> str:
        """Return the month of the shop that starts at a moment."""
        return f"{start.astimezone(self._stores.timezone):%Y-%m}"

    def series(
        self,
        owners: Callable[[KeyFilter | None], list[str]],
        names: tuple[str, ...],
        form: str,
        rows_of: RowsOf,
        keys: KeyFilter | None,
    ) -> Sides:
        """Read the months of owners, and their totals if the form has them."""
        asked = {owner: names if not form else self.in_file(owner, names) for owner in owners(keys)}
        divided = divisions(self._stores, ("total", "month") if not form else ("month",))
        if not divided:
            return Sides(*[metric_table(names, ())] * 2)
        found: dict[tuple[str, str], dict[str, Value | str]] = {}
        sent = [
            each for owner, own in asked.items() for each in requests([owner], own, divided[0].days, form)
        ]
        for row in self._answers(("series", form, *names), sent, rows_of):
            found.setdefault((row["owner"], row["part"]), {**nothing()}).update(row["values"])
        expected = [
            (*key, {**nothing(), **{name: values[name] for name in asked[key[0]]}})
            for division in divided
            for key, values in self._expected(frozenset(asked), division).items()
        ]
        answered = [(*key, values) for key, values in found.items()]
        return Sides(metric_table(names, expected), metric_table(names, answered))

    def in_file(self, owner: str, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the metrics of which files are compared: those of a domain, or all of a large seller."""
        if owner == ALL_SELLERS or owner in self._largest:
            return names
        return tuple(metric.name for metric in _metrics_of(_domain_of(owner)))

    @cached_property
    def _largest(self) -> list[str]:
        return largest_sellers(self._stores)

    def pages(self, keys: KeyFilter | None) -> Sides:
        """Read the values over all time on the pages of sellers: of a domain, or of all for the largest.

        While the shop is open, pages whose time has not ended before today are left out.
        """
        stores = self._stores
        asked = [
            (seller_id, domain)
            for seller_id in self.sellers(keys)
            for domain in (_domains() if seller_id in self._largest else [_domain_of(seller_id)])
        ]
        is_first = ("pages",) not in self._is_read
        shown = self._answers(("pages",), [_page_of(*each) for each in asked], _page_row)
        if stores.today is not None:
            if is_first:
                today_ms = midnight_ms(stores.today, stores.timezone)
                self._ended = frozenset(row["seller_id"] for row in shown if row["end_ms"] <= today_ms)
            asked = [each for each in asked if each[0] in self._ended]
            shown = [row for row in shown if row["seller_id"] in self._ended]
        shop = shop_of(stores, self._facts)
        calendars = {
            row["seller_id"]: Calendar(stores.timezone, "total", row["first_ms"], row["end_ms"], shop.now_ms)
            for row in shown
        }
        values = _values(shop, calendars.get, as_one=False)
        texts = {(row["seller_id"], metric): row for row in shown for metric in row["texts"]}
        left, right = [], []
        for seller_id, domain in asked:
            for metric in _metrics_of(domain):
                key = {"seller_id": seller_id, "metric": metric.name}
                value = values.get((seller_id, "total"), nothing())[metric.name]
                left.append({**key, "value": str(value)})
                if row := texts.get((seller_id, metric.name)):
                    text = row["texts"][metric.name]
                    is_equal = shows(text, value, metric.unit, row["locale"], stores.currency)
                    right.append({**key, "value": str(value) if is_equal else text})
        schema = pa.schema([(name, pa.string()) for name in (*PAGE_KEY, "value")])
        return Sides(*(pa.Table.from_pylist(rows, schema) for rows in (left, right)))

    def _answers(self, side: tuple[str, ...], sent: list[ApiRequest], rows_of: RowsOf) -> list[Row]:
        """Read the answers of a side, and facts beside them if it is read again.

        The first time, all sides of an open shop share the first facts: little changes of days before today.
        """
        fetch = partial(self._stores.api.fetch_content, sent, rows_of, AT_ONCE)
        if side in self._is_read:
            return self._facts.beside(fields(), fetch)
        self._is_read.add(side)
        (self._facts.read if self._stores.today is None else self._facts.read_once)(fields())
        return fetch()

    def _expected(self, owners: frozenset[str], division: Division) -> Figures:
        """Return the values of owners. They are computed once for all forms of the answers."""
        shop = shop_of(self._stores, self._facts)
        if self._known_of != (made_of := (shop.now_ms // HOUR_MS, self._facts.state())):
            self._known_of, self._known = made_of, {}
        if (key := (owners, division)) not in self._known:
            calendars = dict.fromkeys(owners, division.calendar(self._stores, shop.now_ms))
            self._known[key] = _values(shop, calendars.get, as_one=ALL_SELLERS in owners)
        return self._known[key]


def _values(shop: Shop, calendars: Callable[[str], Calendar | None], *, as_one: bool) -> Figures:
    found: Figures = {}
    for family in FAMILIES.values():
        for owner, part, values in family.values(shop, calendars, as_one=as_one):
            found.setdefault((owner, part), {**nothing()}).update(values)
    return found


@cache
def nothing() -> Mapping[str, Value]:
    """Return the value of each metric if nothing happened."""
    return {
        name: formula(family.figures())
        for family in FAMILIES.values()
        for name, formula in family.formulas.items()
    }


def _domains() -> list[str]:
    return list(dict.fromkeys(metric.domain for metric in read_catalogue().values()))


def _domain_of(seller_id: str) -> str:
    """Return the domain of a seller whose files and page are compared: another one for each seller."""
    domains = _domains()
    return domains[crc32(seller_id.encode()) // EVERY % len(domains)]


def _page_of(seller_id: str, domain: str) -> ApiRequest:
    query = {"period": "all", "metric": _metrics_of(domain)[0].name}
    return ApiRequest(f"/sell/{quote(seller_id, safe='')}/metrics", query)


def _page_row(request: ApiRequest, content: bytes) -> Iterator[Row]:
    page = read_page(content.decode())
    first_ms, end_ms = (int(moment.timestamp()) * 1000 for moment in page.period) if page.period else (0, 0)
    yield {
        "seller_id": unquote(request.path.split("/")[2]),
        "texts": page.texts,
        "locale": page.locale,
        "first_ms": first_ms,
        "end_ms": end_ms,
    }


def _metrics_of(domain: str) -> list[Metric]:
    return [metric for metric in read_catalogue().values() if metric.domain == domain]
