"""Every metric of the catalogue, over the facts of a small shop: the audit agrees, and so do all forms."""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from io import StringIO
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from audit import seller_sample
from audit.comparison import ComparisonResult
from audit.comparisons import (
    facts_vs_marketplace_metrics,
    facts_vs_seller_api,
    facts_vs_seller_metrics,
    facts_vs_served_metrics,
)
from audit.grains import today_of
from audit.reference.domains import FAMILIES
from audit.sources.clickhouse import ClickHouseTables
from audit.sources.sales_api import FIGURES
from audit.stores import Stores
from audit.table_comparison import TableComparison
from audit.tables import first_key_columns
from clickhouse.client import connect
from clickhouse.metric_catalogue.definition import Metric, read_catalogue, read_domains, read_every_metric
from clickhouse.metric_catalogue.queries import series_query
from common.settings import Settings
from tests.csv_cells import metric_cells
from tests.integration.metric_tables import writable
from tests.integration.serving.conftest import ask
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.shop_audit import loaded, stores_of
from tests.integration.serving.shop_history import FOREIGN, SELLERS, History

PERIOD = {"from": "2017-03-01", "to": "2017-04-02"}
"""March, and the day on which it was paid."""

MARCH = {"from": "2017-03-01", "to": "2017-04-01"}
SELLER = SELLERS[0]
CATALOGUE = read_catalogue()
EVERY = pytest.mark.parametrize("metric", CATALOGUE.values(), ids=lambda metric: metric.name)


@pytest.fixture(scope="module")
def history(shop: Settings) -> Iterator[History]:
    """The facts of the shop; the shop of the other modules returns afterwards."""
    drawn = History(11, 260)
    with loaded(shop, drawn):
        yield drawn


def answer(api: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    found = api.get(f"/v1/sellers/{SELLER}/analytics/{path}", params={**PERIOD, **parameters})
    shown: dict[str, Any] = found.raise_for_status().json()
    return shown


Comparisons = Callable[[Stores], Iterator[TableComparison]]


def audited(shop: Settings, comparisons: Comparisons, today: date | None = None) -> list[ComparisonResult]:
    """Run comparisons with the reference. With `today`, the shop is open on that day."""
    with connect(shop) as client:
        stores = replace(stores_of(shop, client), today=today)
        # Not in this thread: Playwright runs an event loop in it.
        with ThreadPoolExecutor(1) as thread:
            return [thread.submit(each.compare).result() for each in comparisons(stores)]


def differing(found: Iterable[ComparisonResult]) -> list[str]:
    """Return the sellers, or for the marketplace the parts of the time, of all differences."""
    return first_key_columns(frozenset().union(*(each.differing for each in found)))


@pytest.mark.usefixtures("history")
def test_the_audit_finds_every_metric_of_every_seller_as_the_facts_say(shop: Settings) -> None:
    found = audited(shop, partial(facts_vs_seller_metrics.run, parts=("total", "month")))

    assert [each.differences for each in found] == [()] * len(FAMILIES)
    assert min(each.rows for each in found) >= len(SELLERS) * (1 + 4)


@pytest.mark.usefixtures("history")
def test_the_audit_finds_a_sum_and_a_level_as_the_facts_say_in_every_part_of_the_time(shop: Settings) -> None:
    given = {name: CATALOGUE[name] for name in ("net_sales", "units_in_stock")}

    sales, products = audited(shop, partial(facts_vs_seller_metrics.run, catalogue=given))

    assert (sales.differences, products.differences) == ((), ())
    # A week has an order; the stock has a value in each of the 720 last hours.
    assert sales.rows > len(SELLERS) * (1 + 4 + 16 + 50)
    assert products.rows > len(SELLERS) * (1 + 4 + 16 + 100 + 700)


@pytest.mark.usefixtures("history")
def test_the_audit_finds_every_metric_as_the_facts_say_in_the_api_in_files_and_on_pages(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seller_sample, "LARGEST", 1)

    *series, pages = audited(shop, facts_vs_served_metrics.run)

    assert series
    for found in series:
        assert found.differences == (), found.spec
        assert found.rows >= 4
        assert found.figures >= found.rows * sum(each.is_of_marketplace for each in CATALOGUE.values())
    assert pages.differences == ()
    assert pages.rows >= len(CATALOGUE)


BEFORE_TODAY = date(2017, 3, 20)
"""A day of an open shop whose month is not over."""

EVERY_METRIC = read_every_metric()
ONE_OF_EACH = {metric.domain: name for name, metric in EVERY_METRIC.items()}.values()
"""A metric of each domain."""


@pytest.mark.parametrize("of", [facts_vs_seller_metrics, facts_vs_marketplace_metrics])
@pytest.mark.parametrize(
    "names",
    [ONE_OF_EACH, pytest.param(EVERY_METRIC, marks=pytest.mark.nightly)],
    ids=["one of each domain", "all"],
)
@pytest.mark.usefixtures("history")
def test_the_audit_of_an_open_shop_compares_the_days_before_today(
    shop: Settings, names: Iterable[str], of: Any
) -> None:
    catalogue = {name: EVERY_METRIC[name] for name in names}
    run = partial(of.run, catalogue=catalogue, parts=("total", "month", "hour"))

    found = audited(shop, run, BEFORE_TODAY)

    assert found
    for each in found:
        assert each.differences == (), each.spec
        assert each.rows
        assert "2017-03-20" in each.notes[0]


@pytest.mark.nightly
@pytest.mark.usefixtures("history")
def test_the_audit_of_an_open_shop_compares_what_was_served_of_the_days_before_today(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seller_sample, "LARGEST", 1)

    *series, pages = audited(shop, facts_vs_served_metrics.run, BEFORE_TODAY)

    assert series
    for found in series:
        assert found.differences == (), found.spec
        assert found.rows
        assert "2017-03-20" in found.notes[0]
    assert (pages.rows, pages.differences) == (0, ())  # all sellers have sold since
    *_, pages = audited(shop, facts_vs_served_metrics.run, date(2019, 1, 1))
    assert (pages.rows >= len(CATALOGUE), pages.differences) == (True, ())


@pytest.mark.usefixtures("history")
def test_today_s_metrics_are_left_out_if_something_happened_before(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(shop) as client:
        assert today_of(stores_of(shop, client)) == datetime.now(shop.timezone).date()

    with connect(shop) as client:
        monkeypatch.setattr(ClickHouseTables, "now_ms", lambda _: 1_400_000_000_000)  # in 2014
        assert today_of(stores_of(shop, client)) is None


WRONG = {
    "sales_lines": ("units", "+ 1", "units"),
    "return_lines": ("refunded_units", "+ 1", "refunded_units"),
    "earning_lines": ("paid_minor", "+ 1", "payouts"),
    "product_costs": ("unit_cost_minor", "+ 1", "cost_of_goods"),
    "stock_levels": ("changed_at", "+ INTERVAL 1 DAY", "hours_out_of_stock"),
    "parcels": ("shipped_at", "+ INTERVAL 1 WEEK", "time_to_ship_p90"),
    "review_versions": ("score", "+ 1", "review_score"),
    "product_views": ("views", "+ 1", "views_per_session"),
    "recommended_items": ("impressions", "+ 1", "recommendation_impressions"),
    "funnel_steps": ("at", "+ INTERVAL 1 WEEK", "visits_viewed"),
    "search_clicks": ("clicks", "+ 1", "search_clicks"),
    "offer_changes": ("price_minor", "+ 9", "price_elasticity"),
}
"""Table of rows → a column, a wrong change of it, and a metric that differs then."""


@contextmanager
def planted(shop: Settings, table: str, wrong: str, *, alone: bool = False) -> Iterator[None]:
    """Insert the rows of the SELECT `wrong` into a table, in which `{right}` is a table of the right rows.

    They replace those with the same key, or all rows if they stay `alone`. The right rows return at the end.
    """
    rows = writable(shop, table)
    right = f"{rows.removesuffix('`')}_before`" if rows.endswith("`") else f"{rows}_before"
    ask(shop, f"CREATE TABLE {right} AS {rows}")
    ask(shop, f"INSERT INTO {right} SELECT * FROM {rows} FINAL")
    if alone:
        ask(shop, f"TRUNCATE TABLE {rows}")
    ask(shop, f"INSERT INTO {rows} {wrong.format(right=right)}")
    try:
        yield
    finally:
        ask(shop, f"TRUNCATE TABLE {rows}")
        ask(shop, f"INSERT INTO {rows} SELECT * FROM {right}")
        ask(shop, f"DROP TABLE {right}")


@pytest.mark.parametrize("table", WRONG)
@pytest.mark.usefixtures("history")
def test_the_audit_finds_a_wrong_value(shop: Settings, table: str) -> None:
    column, change, metric = WRONG[table]
    some = f"SELECT * REPLACE ({column} {change} AS {column}) FROM {{right}}"
    some = f"{some} WHERE seller_id = '{SELLER}' AND {column} > 0 LIMIT 5"
    with planted(shop, table, some):
        given = {"catalogue": {metric: CATALOGUE[metric]}, "parts": ("month",)}
        found = audited(shop, partial(facts_vs_seller_metrics.run, **given))

    assert differing(found) == [SELLER]


@pytest.mark.usefixtures("history")
def test_the_audit_finds_the_sales_of_every_seller_in_the_api_as_the_facts_say(shop: Settings) -> None:
    months, totals, days = audited(shop, facts_vs_seller_api.run)

    assert [each.differences for each in (months, totals, days)] == [(), (), ()]
    assert totals.rows >= len(SELLERS)
    assert days.rows > months.rows > totals.rows


@pytest.mark.usefixtures("history")
def test_the_audit_finds_each_wrong_sum_of_a_seller_in_the_api(shop: Settings) -> None:
    columns = [name if name != "net_sales_minor" else "revenue_minor" for name in FIGURES]
    wrong = ", ".join(f"{name} + 1 AS {name}" for name in columns)
    row = (
        f"SELECT * REPLACE ({wrong}) FROM {{right}} WHERE seller_id = '{SELLER}' AND currency = 'BRL' LIMIT 1"
    )

    with planted(shop, "sales_lines", row):
        found = audited(shop, facts_vs_seller_api.run)

    assert len(found) == 3
    for each in found:
        assert {one.field for one in each.differences} == {*FIGURES}
        assert {one.right - one.left for one in each.differences} == {1}
        assert {one.key["seller_id"] for one in each.differences} == {SELLER}


@pytest.mark.usefixtures("history")
def test_the_audit_finds_a_sale_in_the_api_that_is_on_a_wrong_day_of_its_month(shop: Settings) -> None:
    early = f"seller_id = '{SELLER}' AND currency = 'BRL' AND toDayOfMonth(minute) BETWEEN 3 AND 20"
    order = f"(SELECT min(order_id) FROM {{right}} WHERE {early})"
    moved = (
        f"SELECT * REPLACE (if(order_id = {order}, minute + INTERVAL 2 DAY, minute) AS minute) FROM {{right}}"
    )

    with planted(shop, "sales_lines", moved, alone=True):
        months, totals, days = audited(shop, facts_vs_seller_api.run)

    assert (months.differences, totals.differences) == ((), ())
    assert SELLER in {one.key["seller_id"] for one in days.differences}


def quantile(metric: str, percent: int) -> dict[str, Any]:
    """Return the field of a metric with another percentage of its quantile."""
    given = CATALOGUE[metric].quantile
    assert given
    return {"quantile": given.model_copy(update={"percent": percent})}


WRONG_FORMULAS: dict[str, tuple[str, dict[str, Any]]] = {
    "sales": ("net_units", {"numerator": ("units", "-cancelled_units")}),
    "returns": ("average_refund", {"denominator": ("returns",)}),
    "money": ("net_earnings", {"numerator": ("earned", "-paid")}),
    "service": ("time_to_ship_p90", quantile("time_to_ship_p90", 95)),
    "products": ("sell_through", {"denominator": ("units_left",)}),
    "funnel": ("cart_abandonment_rate", {"numerator": ("carted", "-paid")}),
    "search": ("search_conversion_rate", {"numerator": ("carted",)}),
    "customers": ("returning_customer_share", {"numerator": ("repeating",)}),
    "recommendations": ("click_through_rate", {"numerator": ("impressions", "-clicks")}),
}
"""Domain → a metric, and a wrong part of its formula."""


@pytest.mark.parametrize("domain", FAMILIES)
@pytest.mark.usefixtures("history")
def test_the_audit_finds_a_wrong_formula_of_the_catalogue(shop: Settings, domain: str) -> None:
    name, wrong = WRONG_FORMULAS[domain]
    given = {"catalogue": {name: replace(CATALOGUE[name], **wrong)}, "parts": ("month",)}

    of_sellers = audited(shop, partial(facts_vs_seller_metrics.run, **given))
    of_marketplace = audited(shop, partial(facts_vs_marketplace_metrics.run, **given))

    assert differing(of_sellers) == [*SELLERS]
    assert differing(of_marketplace)


@EVERY
@pytest.mark.usefixtures("history")
def test_the_rows_behind_a_metric_make_its_value(api: httpx.Client, metric: Metric) -> None:
    total = answer(api, metric.name)["totals"][0]["value"]
    rows, cursor = [], None
    while cursor is not None or not rows:
        page = answer(api, f"{metric.name}/rows", limit=250, **({"cursor": cursor} if cursor else {}))
        rows += page["rows"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    assert {row["kind"] for row in rows} <= set(metric.source.file.kinds) or not metric.source.file.kinds
    value = sum(row["value"] for row in rows)
    if metric.quantile:
        values = sorted(row["value"] for row in rows)
        chosen = values[len(values) * metric.quantile.percent // 100]
        scale = 10_000 if metric.numerator_unit == "ten_thousandths" else 3_600_000
        assert total == pytest.approx(chosen / scale, abs=0.00005)
    elif metric.denominator and metric.adds_up:
        over = sum(row["denominator"] for row in rows)
        assert total == pytest.approx(value / over, abs=0.5 if metric.unit == "money" else 0.00005)
    elif metric.adds_up:
        assert value == total
    assert rows, "the shop has nothing that the metric is made of"


SPLITS = {
    (metric.source.name, by): [
        each.name
        for each in CATALOGUE.values()
        if each.source.name == metric.source.name and by in each.dimensions
    ]
    for metric in CATALOGUE.values()
    for by in metric.dimensions
}
"""Source and dimension → the metrics that can be split so."""


@pytest.mark.parametrize(("source", "by"), SPLITS)
@pytest.mark.usefixtures("history")
def test_a_split_lists_the_parts_of_a_metric(api: httpx.Client, source: str, by: str) -> None:
    first, *others = SPLITS[source, by]
    shown = answer(api, first, by=by, top=2, compare="year", **{"with": ",".join(others)})
    rest, totals = shown["rest"], {total["name"]: total["value"] for total in shown["totals"]}
    ranked = [part["values"][first] for part in shown["split"]]

    dimension = CATALOGUE[first].dimensions[by]
    if dimension.values:
        assert [part["value"] for part in shown["split"]] == list(dimension.values)
    elif len(ranked) == 2:
        assert ranked[0] is not None
        assert ranked[1] is None or ranked[0] >= ranked[1]
    for name in SPLITS[source, by]:
        metric, values = CATALOGUE[name], [part["values"][name] for part in shown["split"]]
        of_rest = rest["values"][name] if rest else 0
        if metric.is_additive(dimension) and not metric.denominator:
            assert sum(value or 0 for value in values) + (of_rest or 0) == (totals[name] or 0), name
        elif not metric.is_additive(dimension):
            assert of_rest in (0, None), name


ALL = {"with": ",".join(list(CATALOGUE)[1:])}
FIRST = next(iter(CATALOGUE))


@pytest.mark.usefixtures("history")
def test_a_series_and_its_csv_have_the_same_values(api: httpx.Client) -> None:
    given = {**PERIOD, **ALL, "grain": "week"}
    path = f"/v1/sellers/{SELLER}/analytics/{FIRST}"
    shown = api.get(path, params=given).raise_for_status().json()
    listed = csv.DictReader(StringIO(api.get(path, params=given, headers={"Accept": "text/csv"}).text))

    assert [{name: row[name] for name in CATALOGUE} for row in listed] == [
        metric_cells(bucket["values"]) for bucket in shown["series"]
    ]
    for total in shown["totals"]:
        metric = CATALOGUE[total["name"]]
        if metric.adds_up and not metric.denominator:
            values = [bucket["values"][metric.name] for bucket in shown["series"]]
            assert sum(value or 0 for value in values) == (total["value"] or 0)


@pytest.mark.usefixtures("history")
def test_nothing_is_not_zero_for_a_ratio_or_a_quantile(api: httpx.Client) -> None:
    shown = answer(api, FIRST, **ALL, **{"from": "2009-01-01", "to": "2009-02-01", "grain": "month"})

    assert len(shown["totals"]) == len(CATALOGUE)
    for total in shown["totals"]:
        metric = CATALOGUE[total["name"]]
        nothing = None if metric.denominator or metric.quantile else 0
        assert (total["value"], total["compared"], total["change"]) == (nothing, nothing, None), metric.name
        assert [bucket["values"][metric.name] for bucket in shown["series"]] == [nothing], metric.name


COMPARED_WITH_ALL = ("exposure",)
"""Sources of figures that are compared with those of all sellers, which are read, too."""

SOURCES = {metric.source.name: metric for metric in CATALOGUE.values()}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.usefixtures("history")
def test_a_query_reads_the_rows_of_a_seller_by_key(shop: Settings, source: str) -> None:
    metric = SOURCES[source]
    given = {
        "seller_id": SELLER, "currency": "BRL", "timezone": "America/Sao_Paulo", "grain": "day",
        "period_start": "2017-03-01 03:00:00", "period_end": "2017-04-01 03:00:00",
    }  # fmt: skip
    with connect(shop) as client:
        sql = f"EXPLAIN indexes = 1 {series_query([metric], of_product=False)}"
        plan = "\n".join(row[0] for row in client.query(sql, given).result_rows)

    reads = re.sub("[│└├─ ]+", " ", plan).split("ReadFromMergeTree")[1:]
    keys = [re.search(r"PrimaryKey\n Keys:\n (\w+)", read) for read in reads]
    assert reads
    of_all = {"minute", None} if source in COMPARED_WITH_ALL else set()
    assert {key and key[1] for key in keys} <= {"seller_id", "product_id", "session_id", "search_id", *of_all}


@pytest.mark.usefixtures("history")
def test_metrics_of_several_sources_are_split_together(api: httpx.Client) -> None:
    shown = answer(api, "net_sales", **{"with": "refunds,orders", "by": "product", "top": 2})
    alone = answer(api, "refunds", by="product", top=100)

    refunds: Mapping[str, Any] = {part["value"]: part["values"]["refunds"] for part in alone["split"]}
    listed = {part["value"]: part["values"]["refunds"] for part in shown["split"]}
    assert listed == {value: refunds.get(value, 0) for value in listed}
    assert sum(listed.values()) + shown["rest"]["values"]["refunds"] == alone["totals"][0]["value"]
    assert shown["rest"]["values"]["orders"] is None


@pytest.mark.browser
@pytest.mark.usefixtures("history")
def test_the_page_leads_through_the_domains_to_the_rows(page: Page, api: httpx.Client) -> None:
    page.goto(f"/sell/{SELLER}/metrics?period=all")
    domains = page.get_by_role("navigation", name="Metrics about")
    for domain in read_domains().values():
        link = domains.get_by_role("link", name=domain.title, exact=True)
        link.click()
        expect(link).to_have_attribute("aria-current", "true")
    domains.get_by_role("link", name="Service", exact=True).click()
    for theme, width in layouts(page):
        assert scroll_width(page) <= width, theme
    page.get_by_role("link", name="Orders cancelled", exact=True).click()
    page.get_by_role("link", name="Cancelled by", exact=True).click()
    file = page.get_by_role("link", name="CSV").get_attribute("href") or ""
    shown = api.get(file, headers={"Accept": "text/csv"}).text

    parts = {row["value"]: row["order_cancellations"] for row in csv.DictReader(StringIO(shown))}
    expect(page.locator(".bars li").nth(1)).to_contain_text("The seller")
    for number, value in enumerate(parts.values()):
        expect(page.locator(".bars li .bar-value").nth(number)).to_contain_text(value)
    expect(page.locator(".metric-lines li").first).to_contain_text("Cancelled")
    page.get_by_role("link", name="Time to ship, median", exact=True).click()
    expect(page.locator(".metric-lines li").first).to_contain_text("Shipped")
    expect(page.get_by_role("row", name="Time to ship, median")).to_contain_text(" h")


@pytest.mark.usefixtures("history")
def test_what_the_first_metric_lacks_is_in_the_rest(api: httpx.Client) -> None:
    day = {"from": "2017-03-01", "to": "2017-03-02"}
    shown = answer(api, "refunds", **{"with": "product_views", "by": "product", "top": 100}, **day)

    total = shown["totals"][1]["value"]
    assert total > sum(part["values"]["product_views"] for part in shown["split"]), "the day proves nothing"
    assert shown["rest"]["values"]["product_views"] == total - sum(
        part["values"]["product_views"] for part in shown["split"]
    )


def typed(history: History, first: str, last: str) -> dict[str, int]:
    """Return the texts that were searched on some days, and how many different visitors typed each."""
    sessions: dict[str, set[str]] = defaultdict(set)
    people: dict[str, set[str]] = defaultdict(set)
    for search in history.of("search_performed"):
        if f"{first} 03" <= search["occurred_at"] < f"{last} 03":
            text = " ".join(search["query"].lower().split())
            sessions[text].add(search["session_id"])
            people[text].add(search["shopper_id"] or search["session_id"])
    return {text: min(len(sessions[text]), len(people[text])) for text in sessions}


def test_sellers_see_a_text_only_if_five_visitors_typed_it(api: httpx.Client, history: History) -> None:
    listed, hidden = set(), set()
    for week in range(6):
        first, last = (f"{date(2017, 2, 1) + timedelta(days=7 * number)}" for number in (week, week + 1))
        frequent = {text for text, visitors in typed(history, first, last).items() if visitors >= 5}
        path = f"/v1/sellers/{SELLER}/analytics/search_clicks"
        given = {"from": first, "to": last, "by": "query", "top": 100, "with": "search_purchases"}
        shown = api.get(path, params=given).raise_for_status().json()
        table = api.get(path, params=given, headers={"Accept": "text/csv"}).text
        texts = {part["value"]: part["label"] for part in shown["split"]}

        assert set(texts) <= {*frequent, ""}
        assert texts.get("", "Other searches") == "Other searches"
        assert {row["value"] for row in csv.DictReader(StringIO(table))} == set(texts)
        assert sum(part["values"]["search_clicks"] for part in shown["split"]) == shown["totals"][0]["value"]
        listed |= set(texts)
        hidden |= set(typed(history, first, last)) - frequent if "" in texts else set()

    assert "" in listed
    assert len(listed) > 1, "no text was frequent: the weeks prove nothing"
    assert hidden, "every text was frequent: the weeks prove nothing"


@pytest.mark.usefixtures("history")
def test_a_product_that_nobody_viewed_has_its_category(api: httpx.Client) -> None:
    split = answer(
        api, "units", by="category", top=100, **{"with": "viewing_sessions,units_per_session"}
    )["split"]  # fmt: skip

    assert {part["value"] for part in split} == {"garden", ""}
    for values in (part["values"] for part in split):
        expected = values["units"] / values["viewing_sessions"]
        assert values["units_per_session"] == pytest.approx(expected, abs=0.00005)


@pytest.mark.usefixtures("history")
def test_a_customer_who_bought_in_another_currency_is_not_new(api: httpx.Client, history: History) -> None:
    everything = {"from": "2016-01-01", "to": "2018-01-01", "grain": "month"}
    cancelled = {order["order_id"] for order in history.of("order_cancelled") if order["confirmed_at"]}
    confirmed = [
        order["shopper_id"]
        for order in history.of("order_confirmed")
        if order["currency"] == "BRL"
        and order["order_id"] not in cancelled
        and any(line["seller_id"] == SELLER for line in order["lines"])
    ]
    totals = answer(api, "new_customers", **{"with": "customers"}, **everything)["totals"]

    assert set(FOREIGN) & set(confirmed)
    assert totals[1]["value"] == len(set(confirmed))
    assert totals[0]["value"] == len(set(confirmed) - set(FOREIGN))


def test_refunds_by_their_own_date_are_those_that_were_paid_in_the_period(
    api: httpx.Client, history: History
) -> None:
    first, last = (datetime.fromisoformat(f"{day}T03:00:00") for day in MARCH.values())
    paid = [
        line["refund_minor"]
        for refund in history.of("payment_refunded")
        if refund["seller_id"] == SELLER and first <= datetime.fromisoformat(refund["occurred_at"]) < last
        for line in refund["lines"]
    ]

    assert paid
    assert answer(api, "refunds", **MARCH)["totals"][0]["value"] == sum(paid)


@pytest.mark.parametrize("name", ["voucher_cost", "marketplace_vouchers"])
@pytest.mark.usefixtures("history")
def test_vouchers_cost_something_in_the_shop_that_the_audit_compares(api: httpx.Client, name: str) -> None:
    assert answer(api, name, **MARCH)["totals"][0]["value"] > 0


def test_earnings_are_what_a_payout_of_the_same_period_pays(api: httpx.Client, history: History) -> None:
    [payout] = [each for each in history.of("payout_paid") if each["seller_id"] == SELLER]
    names = "sales_income,cancelled_income,commission,refunds_charged,unpaid_earnings,payouts"
    totals = answer(api, "net_earnings", **MARCH, **{"with": names})["totals"]
    value = {total["name"]: total["value"] for total in totals}

    assert value["sales_income"] - value["cancelled_income"] == payout["gross_minor"]
    assert value["commission"] == payout["commission_minor"]
    assert value["refunds_charged"] == payout["refunded_minor"]
    assert value["net_earnings"] == value["unpaid_earnings"] == payout["amount_minor"]
    assert answer(api, "payouts")["totals"][0]["value"] == payout["amount_minor"]
    assert value["payouts"] == 0, "it was paid in April"


PROFIT = "cost_of_goods,earnings_without_cost,net_earnings,units_without_cost,cost_known_share"


def profit(api: httpx.Client, **parameters: str) -> dict[str, Any]:
    totals = answer(api, "profit", **MARCH, **parameters, **{"with": PROFIT})["totals"]
    return {total["name"]: total["value"] for total in totals}


def test_profit_is_the_net_earnings_of_what_has_a_cost_less_the_cost_of_each_order_s_day(
    api: httpx.Client, history: History
) -> None:
    def unit_cost(product_id: str, placed_at: str) -> int | None:
        if product_id == f"{SELLER}-0":
            return 900 if placed_at < "2017-03-01 03" else 1_250
        return 333 if product_id == f"{SELLER}-1" and placed_at >= "2017-03-15 03" else None

    first, last = (datetime.fromisoformat(f"{day}T03:00:00") for day in MARCH.values())
    booked = [
        (sign * line["quantity"], unit_cost(line["product_id"], event["placed_at"]))
        for topic, sign in (("order_confirmed", 1), ("order_cancelled", -1), ("payment_refunded", -1))
        for event in history.of(topic)
        if first <= datetime.fromisoformat(event["occurred_at"]) < last
        if event.get("confirmed_at", "") is not None
        for line in event["lines"]
        if line.get("seller_id", event.get("seller_id")) == SELLER
    ]
    value = profit(api)

    assert value["cost_of_goods"] == sum(units * cost for units, cost in booked if cost is not None) > 0
    assert value["units_without_cost"] == sum(abs(units) for units, cost in booked if cost is None) > 0
    assert value["profit"] + value["cost_of_goods"] + value["earnings_without_cost"] == value["net_earnings"]
    known = sum(abs(units) for units, cost in booked if cost is not None)
    assert value["cost_known_share"] == pytest.approx(
        known / (known + value["units_without_cost"]), abs=0.00005
    )


def test_a_cost_that_is_set_later_for_an_earlier_day_changes_the_past(
    shop: Settings, api: httpx.Client, history: History
) -> None:
    before = profit(api, product=f"{SELLER}-2")
    late = history.of("product_cost_set")[-1] | {
        "event_id": "late", "occurred_at": "2017-06-01 00:00:00", "seller_id": SELLER, "version": 1,
        "product_id": f"{SELLER}-2", "currency": "BRL", "valid_from": "2016-12-01 02:00:00",
    }  # fmt: skip
    with connect(shop, admin=True) as client:
        client.raw_insert(
            "product_cost_set",
            insert_block=json.dumps(late | {"unit_cost_minor": 50, "removed": False}),
            fmt="JSONEachRow",
        )
        try:
            after = profit(api, product=f"{SELLER}-2")
        finally:
            withdrawn = late | {"event_id": "withdrawn", "removed": True, "version": 2}
            client.raw_insert("product_cost_set", insert_block=json.dumps(withdrawn), fmt="JSONEachRow")

    assert (before["profit"], before["cost_known_share"], after["cost_known_share"]) == (None, 0, 1)
    assert before["cost_of_goods"] == 0
    assert after["profit"] == after["net_earnings"] - after["cost_of_goods"]
    assert after["cost_of_goods"] % 50 == 0 != after["cost_of_goods"]
    assert profit(api, product=f"{SELLER}-2") == before


def placed_in(events: list[dict[str, Any]], first: str, last: str) -> list[dict[str, Any]]:
    """Return the lines of the confirmed orders, or of their cancellations, that were placed in a time."""
    return [
        line
        for event in events
        if event["currency"] == "BRL" and event.get("confirmed_at", "") is not None
        if first <= event["placed_at"] < last
        for line in event["lines"]
    ]


def after_discount(line: dict[str, Any]) -> int:
    amount: int = line["quantity"] * line["unit_price_minor"] - line["discount_minor"]
    return amount


@pytest.mark.usefixtures("history")
def test_a_product_is_out_of_stock_at_the_full_hours_at_which_no_unit_could_be_bought(
    api: httpx.Client, history: History
) -> None:
    product = f"{SELLER}-0"
    shown = answer(
        api, "hours_out_of_stock", product=product, grain="day", **MARCH,
        **{"with": "lost_units_estimate,lost_sales_estimate"},
    )  # fmt: skip
    hours, units, amount = (total["value"] for total in shown["totals"])
    by_day = {bucket["start"][:10]: bucket["values"]["hours_out_of_stock"] for bucket in shown["series"]}
    month = "2017-02-20 03", "2017-03-20 03"
    sold = [
        (sign * line["quantity"], sign * after_discount(line))
        for topic, sign in (("order_confirmed", 1), ("order_cancelled", -1))
        for line in placed_in(history.of(topic), *month)
        if line["product_id"] == product
    ]
    in_stock = 28 * 24

    assert {day: count for day, count in by_day.items() if count} == {
        **{f"2017-03-{day}": 24 for day in range(20, 25)}, "2017-03-25": 13,
    }  # fmt: skip
    assert hours == 133
    assert units == int(sum(each[0] for each in sold) * hours / in_stock + 0.5) > 0
    assert amount == int(sum(each[1] for each in sold) * hours / in_stock + 0.5) > 0


@pytest.mark.usefixtures("history")
def test_a_time_without_stock_that_never_ends_counts_for_28_days(api: httpx.Client) -> None:
    months = {"from": "2017-04-01", "to": "2017-12-01", "product": f"{SELLER}-2"}

    assert answer(api, "hours_out_of_stock", **months)["totals"][0]["value"] == 28 * 24


@pytest.mark.usefixtures("history")
def test_the_day_before_a_midnight_that_clocks_skip_has_what_was_listed_at_its_end(
    api: httpx.Client,
) -> None:
    october = {"from": "2017-10-13", "to": "2017-10-18", "grain": "day"}
    shown = answer(api, "catalogue_share", **october)
    share = shown["totals"][0]["value"]

    days = {bucket["start"][:10]: bucket["values"]["catalogue_share"] for bucket in shown["series"]}
    assert days == dict.fromkeys([f"2017-10-{day}" for day in range(13, 18)], share)
    assert share is not None
