"""Every metric of the catalogue, over the facts of a small shop: the audit agrees, and so do all forms."""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from io import StringIO
from typing import Any
from unittest.mock import sentinel

import httpx
import pytest

from audit.comparison import ComparisonResult
from audit.comparisons import facts_vs_seller_metrics
from audit.sources.api import ApiClient
from audit.sources.clickhouse import ClickHouseTables
from audit.stores import Stores
from clickhouse.client import connect
from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from common.principal_token import PlatformToken
from common.settings import Settings
from tests.integration.metric_tables import emptied, writable
from tests.integration.serving.conftest import TABLES, ask, insert
from tests.integration.serving.shop_history import SELLERS, History, load

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
    load(shop, drawn)
    yield drawn
    emptied(shop)
    for table, (_, rows) in TABLES.items():
        insert(shop, table, rows)


def answer(api: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    found = api.get(f"/v1/sellers/{SELLER}/analytics/{path}", params={**PERIOD, **parameters})
    shown: dict[str, Any] = found.raise_for_status().json()
    return shown


def audited(shop: Settings) -> ComparisonResult:
    with connect(shop) as client:
        stores = Stores(
            None, sentinel.kafka, ClickHouseTables(client), sentinel.service_db, sentinel.redis,
            ApiClient(shop.serving, PlatformToken(shop, "audit"), lambda *_: None),
            shop.timezone, shop.shop_currency,
        )  # fmt: skip
        [comparison] = facts_vs_seller_metrics.run(stores)
        return comparison.compare()


@pytest.mark.usefixtures("history")
def test_the_audit_finds_every_metric_of_every_seller_and_month_as_the_facts_say(shop: Settings) -> None:
    found = audited(shop)

    assert found.differences == ()
    assert found.rows >= len(SELLERS) * 5
    assert found.figures == found.rows * len(CATALOGUE)


WRONG = {
    "sales_lines": ("units", "+ 1", "units"),
    "return_lines": ("refunded_units", "+ 1", "refunded_units"),
    "earning_lines": ("commission_minor", "+ 1", "commission"),
    "parcels": ("shipped_at", "+ INTERVAL 1 WEEK", "time_to_ship_p90"),
    "review_scores": ("score", "+ 1", "review_score"),
    "product_views": ("views", "+ 1", "views_per_session"),
}
"""Table of rows → a column, a wrong change of it, and a metric that differs then."""


@pytest.mark.parametrize("table", WRONG)
def test_the_audit_finds_a_wrong_value(shop: Settings, history: History, table: str) -> None:
    column, change, metric = WRONG[table]
    rows = writable(shop, table)
    ask(shop, f"INSERT INTO {rows} SELECT * REPLACE ({column} {change} AS {column}) FROM {rows} FINAL "
              f"WHERE seller_id = '{SELLER}' AND {column} > 0 LIMIT 5")  # fmt: skip
    try:
        differing = {(each.key["seller_id"], each.field) for each in audited(shop).differences}
    finally:
        load(shop, history)

    assert (SELLER, metric) in differing
    assert {seller for seller, _ in differing} == {SELLER}


@EVERY
@pytest.mark.usefixtures("history")
def test_the_rows_behind_a_metric_make_its_value(api: httpx.Client, metric: Metric) -> None:
    total = answer(api, metric.name)["totals"][0]["value"]
    rows, cursor = [], None
    while cursor is not None or not rows:
        page = answer(api, f"{metric.name}/rows", limit=37, **({"cursor": cursor} if cursor else {}))
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
        assert total == pytest.approx(chosen / 3_600_000, abs=0.00005)
    elif metric.denominator and metric.adds_up:
        over = sum(row["denominator"] for row in rows)
        assert total == pytest.approx(value / over, abs=0.5 if metric.unit == "money" else 0.00005)
    elif metric.adds_up:
        assert value == total
    assert rows, "the shop has nothing that the metric is made of"


@EVERY
@pytest.mark.usefixtures("history")
def test_a_split_lists_the_parts_of_a_metric(api: httpx.Client, metric: Metric) -> None:
    for by, dimension in metric.dimensions.items():
        shown = answer(api, metric.name, by=by, top=2, compare="year")
        values = [part["values"][metric.name] for part in shown["split"]]
        if dimension.values:
            assert [part["value"] for part in shown["split"]] == list(dimension.values)
        elif len(values) == 2:
            assert None not in values[:1]
            assert values[1] is None or values[0] >= values[1]
        rest = shown["rest"]["values"][metric.name] if shown["rest"] else 0
        if metric.is_additive(dimension) and not metric.denominator:
            assert sum(values) + rest == shown["totals"][0]["value"]
        elif not metric.is_additive(dimension):
            assert rest in (0, None)


@EVERY
@pytest.mark.usefixtures("history")
def test_a_series_and_its_csv_have_the_same_values(api: httpx.Client, metric: Metric) -> None:
    given = {"grain": "week", "compare": "previous"}
    shown = answer(api, metric.name, **given)
    text = api.get(
        f"/v1/sellers/{SELLER}/analytics/{metric.name}",
        params={**PERIOD, **given},
        headers={"Accept": "text/csv"},
    ).text

    buckets = [bucket["values"][metric.name] for bucket in shown["series"]]
    listed = [row[metric.name] for row in csv.DictReader(StringIO(text))]
    assert listed == ["" if value is None else str(value) for value in buckets]
    if metric.adds_up and not metric.denominator:
        assert sum(buckets) == shown["totals"][0]["value"]


@EVERY
@pytest.mark.usefixtures("history")
def test_nothing_is_not_zero_for_a_ratio_or_a_quantile(api: httpx.Client, metric: Metric) -> None:
    total = answer(api, metric.name, **{"from": "2009-01-01", "to": "2009-02-01"})["totals"][0]

    nothing = None if metric.denominator or metric.quantile else 0
    assert (total["value"], total["compared"], total["change"]) == (nothing, nothing, None)


@pytest.mark.usefixtures("history")
def test_metrics_of_several_sources_are_split_together(api: httpx.Client) -> None:
    shown = answer(api, "net_sales", **{"with": "refunds,orders", "by": "product", "top": 2})
    alone = answer(api, "refunds", by="product", top=100)

    refunds: Mapping[str, Any] = {part["value"]: part["values"]["refunds"] for part in alone["split"]}
    listed = {part["value"]: part["values"]["refunds"] for part in shown["split"]}
    assert listed == {value: refunds.get(value, 0) for value in listed}
    assert sum(listed.values()) + shown["rest"]["values"]["refunds"] == alone["totals"][0]["value"]
    assert shown["rest"]["values"]["orders"] is None


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
