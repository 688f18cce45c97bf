"""Every panel's query runs in a real ClickHouse server as the reader and returns the panel's columns."""

import re
import time
from typing import Any

import httpx
import pytest

from clickhouse.metric_catalogue.definition import read_catalogue
from common.settings import Settings
from dashboards.build import build
from tests.integration.metric_tables import emptied, writable

WEEK_S = 7 * 86_400
GRAINS = ("minute", "hour", "week", "month")
"""The buckets besides the day, with which every panel is tested in full."""

NUMBER = re.compile(r"(Nullable\()?(U?Int\d+|Float64)\)?")
LABEL = re.compile(r"\$\{__field\.labels\.(\w+)\}")
TIME = re.compile(r"DateTime(64\(3(, '[^']+')?\)|\('[^']+'\))?")

SOLD = "1, 2, 3, 5000, 500, 100"
LOST = "1, 1, 1000, 100, 0, 1, 600"
NOTHING_LOST = "0, 0, 0, 0, 0, 0, 0"
SALES = (
    f"SELECT now() - 600 AS moment, 'BRL', {SOLD}, {LOST}, 3000, now64(3) UNION ALL "
    f"SELECT now() - 86400 * 8, 'BRL', 2, 2, 2, 3000, 0, 0, {NOTHING_LOST}, 3000, now64(3)"
)
PAYMENTS = "SELECT now() - 600 AS moment, arrayJoin(['pix', 'credit_card']), 'BRL', 1, 2300, now64(3)"
BY_QUARTER_HOUR = "SELECT * REPLACE toStartOfFifteenMinutes(moment) AS moment"
ROWS = {
    "marketplace_sales_minute": SALES,
    "marketplace_sales_quarter_hour": f"{BY_QUARTER_HOUR} FROM ({SALES})",
    "sales_lines": " UNION ALL ".join(
        f"SELECT 's1', now() - 600, 'o1', {key}, {', '.join(f'toInt64({figure})' for figure in figures)}"
        for key, figures in (
            ("'sold', '', 1, 'p1', 'BRL'", (1, 1, 1, 3, 5000, 500, 100, *[0] * 10, 4500)),
            ("'sold', '', 2, 'p1', 'BRL'", (0, 0, 1, *[0] * 15)),
            ("'cancelled', '', 1, 'p1', 'BRL'", (*[0] * 8, 1, 1, 1, 1000, 100, *[0] * 4, -900)),
            ("'returned', 'r1', 1, 'p1', 'BRL'", (*[0] * 15, 1, 600, -600)),
        )
    ),
    "payments_minute": PAYMENTS,
    "payments_quarter_hour": f"{BY_QUARTER_HOUR} FROM ({PAYMENTS})",
    "order_state (order_id, currency, placed_at, confirmed_at, status)": "SELECT 'o1', 'BRL', "
    "now64(3) - 600, now64(3) - 598, 'confirmed'",
    "order_placed (event_id, occurred_at, order_id)": "SELECT 'e', now64(3) - 600, 'o1'",
    "product_listed (event_id, occurred_at, product_id, name, category)": "SELECT 'e', now64(3) - 9, 'p1', "
    "'Lamp', 'light'",
    "product_changed (event_id, occurred_at, product_id, name, category)": "SELECT 'e', now64(3) - 3, 'p1', "
    "'Desk Lamp', 'desk lights'",
    "seller_registered (event_id, occurred_at, seller_id, name)": "SELECT 'e', now64(3), 's1', 'Ana\\'s'",
    "product_viewed (event_id, occurred_at, session_id)": "SELECT toString(number), now64(3) - 600, "
    "toString(number) FROM numbers(4)",
    "cart_changed (event_id, occurred_at, session_id, quantity)": "SELECT 'e', now64(3) - 600, '1', 1",
    "recommendation_shown (event_id, occurred_at, recommendation_id, surface, strategy, items)": "SELECT "
    "toString(number), now64(3) - 600, toString(number), 'home', 'similar', "
    "[(1, 'p1', 's1', NULL, NULL), (2, 'p2', NULL, NULL, NULL)] FROM numbers(4)",
    "recommendation_clicked (event_id, occurred_at, recommendation_id, position)": "SELECT 'e', "
    "now64(3) - 599, '3', 2",
    "earning_lines (seller_id, minute, order_id, kind, currency, sold_minor, earned_minor)": "SELECT 's1', "
    "now() - 600, 'o1', 'sold', 'BRL', 4500, 4000",
    "parcels (seller_id, order_id, placed_at, confirmed_at, shipped_at, delivered_at)": "SELECT 's1', 'o1', "
    "now64(3) - 7800, now64(3) - 7200, now64(3) - 3600, now64(3) - 600",
    "product_views (seller_id, minute, event_id, product_id, session_id, views)": "SELECT 's1', now() - 600, "
    "'e', 'p1', 'v1', 1",
    "recommended_items (seller_id, minute, recommendation_id, position, product_id, impressions)": "SELECT "
    "'s1', now() - 600, 'r', 1, 'p1', 1",
    "review_scores (seller_id, minute, order_id, review_id, reviews, score)": "SELECT 's1', now() - 600, "
    "'o1', 'w1', 1, 4",
    "customer_orders (seller_id, shopper_id, minute, order_id, currency, orders)": "SELECT 's1', 'u1', "
    "now() - 600, 'o2', 'BRL', 1",
    "return_lines (seller_id, minute, order_id, kind, return_id, currency, returns)": "SELECT 's1', "
    "now() - 600, 'o1', 'returned', 'r1', 'BRL', 1",
    "review_submitted (event_id, occurred_at, score)": "SELECT toString(number), now64(3) - 600, "
    "3 + number FROM numbers(3)",
    "stock_refused (event_id, occurred_at, order_id)": "SELECT 'e', now64(3) - 600, 'o2'",
    "payment_failed (event_id, occurred_at, order_id, final)": "SELECT toString(number), now64(3) - 600, "
    "'o3', number FROM numbers(2)",
    "payment_refunded (event_id, occurred_at, reason, currency, amount_minor)": "SELECT 'e', now64(3) - 600, "
    "'order_cancelled', 'BRL', 150",
    "stock_changed (event_id, occurred_at, product_id, seller_id, on_hand, reserved, version)": "SELECT "
    "toString(number), now64(3) - number, 'p1', 's1', 3 - number, 1, number FROM numbers(3)",
    "pipeline_progress": "SELECT 'order_placed', 0, 1, now64(3) - 5, 1",
}


@pytest.fixture(scope="module")
def shop(migrated_database: Settings) -> Settings:
    """A database with a row in each table that the dashboards read."""
    settings = emptied(migrated_database)
    admin = settings.clickhouse_admin_user, settings.clickhouse_admin_password.get_secret_value()
    for table, select in ROWS.items():
        name, _, columns = table.partition(" ")
        answer = httpx.post(
            settings.clickhouse,
            params={"database": settings.clickhouse_database},
            headers={"x-clickhouse-user": admin[0], "x-clickhouse-key": admin[1]},
            content=f"INSERT INTO {writable(settings, name)} {columns} {select}",
            trust_env=False,
        )
        assert answer.is_success, f"{table}: {answer.text}"
    return settings


def as_the_plugin_asks(sql: str, grain: str = "day", seller: str = "'s1'") -> str:
    """The query with macros and variables replaced as Grafana and its plugin do, over a week to now."""
    now = int(time.time())
    for name, value in {
        "$__fromTime": f"toDateTime({now - WEEK_S})",
        "$__toTime": f"toDateTime({now + 60})",
        "$__interval_s": "300",
        "${grain:singlequote}": f"'{grain}'",
        "${seller_id:singlequote}": seller,
    }.items():
        sql = sql.replace(name, value)
    return sql


def ask(settings: Settings, sql: str) -> dict[str, Any]:
    """Runs queries as the analyst, as Grafana does."""
    answer = httpx.post(
        settings.clickhouse,
        params={"database": settings.clickhouse_database, "default_format": "JSON"},
        headers={
            "x-clickhouse-user": settings.clickhouse_analyst_user,
            "x-clickhouse-key": settings.clickhouse_analyst_password.get_secret_value(),
        },
        content=sql,
        trust_env=False,
    )
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


ASKED = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, dashboard in build(Settings()).items()
    for panel in dashboard["panels"]
    if any("rawSql" in target for target in panel.get("targets", []))
]


def lacks_rows(panel: dict[str, Any]) -> bool:
    """Return whether a panel of a metric of the catalogue reads a table without a row in `ROWS`."""
    filled = {table.partition(" ")[0] for table in ROWS}
    named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    metrics = [metric for name, metric in read_catalogue().items() if name in named]
    return any(table not in filled for metric in metrics for table in metric.source.tables)


@pytest.mark.parametrize("panel", ASKED)
def test_a_panels_query_returns_the_columns_that_the_panel_shows(
    shop: Settings, panel: dict[str, Any]
) -> None:
    answer = ask(shop, as_the_plugin_asks(panel["targets"][0]["rawSql"]))
    columns = {column["name"]: column["type"] for column in answer["meta"]}
    named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    assert answer["rows"] > 0 or lacks_rows(panel)
    if panel["type"] == "timeseries":
        assert TIME.fullmatch(columns.pop("time"))
        assert [row["time"] for row in answer["data"]] == sorted(row["time"] for row in answer["data"])
        if label := LABEL.fullmatch(panel["fieldConfig"]["defaults"].get("displayName", "")):
            assert "String" in columns.pop(label[1])
            assert len(columns) == 1
        else:
            assert set(columns) == named
        assert all(NUMBER.fullmatch(kind) for kind in columns.values())
    elif panel["type"] == "stat":
        assert named <= set(columns)
        assert answer["rows"] == 1
        shown = re.compile(panel["options"]["reduceOptions"]["fields"].strip("/"))
        assert {name for name in columns if shown.fullmatch(name)} == named
    else:
        assert set(columns) == named
    units = {
        override["matcher"]["options"]: {each["id"]: each["value"] for each in override["properties"]}["unit"]
        for override in panel["fieldConfig"]["overrides"]
    }
    for name, unit in units.items():
        text, moment = "String" in columns[name], "DateTime" in columns[name]
        assert (unit == "string") == text
        assert (unit == "dateTimeAsIso") == moment


@pytest.mark.parametrize(
    "grain",
    [grain if grain == "month" else pytest.param(grain, marks=pytest.mark.nightly) for grain in GRAINS],
)
def test_every_bucket_works_in_every_panel(shop: Settings, grain: str) -> None:
    for panel in (parameter.values[0] for parameter in ASKED):
        sql: str = panel["targets"][0]["rawSql"]
        if "${grain" in sql:
            ask(shop, as_the_plugin_asks(sql, grain))


def figures(shop: Settings, title: str) -> list[dict[str, Any]]:
    (panel,) = (each.values[0] for each in ASKED if each.values[0]["title"] == title)
    rows: list[dict[str, Any]] = ask(shop, as_the_plugin_asks(panel["targets"][0]["rawSql"]))["data"]
    return rows


def test_figures_are_of_the_period_and_changes_against_the_previous_one(
    shop: Settings,
) -> None:
    (total,) = figures(shop, "Totals")
    assert total["revenue"] == 30.0  # 50 less 5 discount, 9 cancelled, 6 returned
    assert total["revenue_change"] == 0.0
    assert int(total["order_count"]) == 1
    assert figures(shop, "Cancelled")[-1]["cancelled_share"] == 1.0
    (funnel,) = figures(shop, "From view to order")
    assert [int(funnel[name]) for name in ("viewed", "added", "ordered")] == [4, 1, 1]
    (similar,) = figures(shop, "Recommendations")
    assert similar["click_share"] == 0.25
    refused = figures(shop, "Orders refused")
    assert [sum(int(row[name]) for row in refused) for name in ("no_stock", "no_payment")] == [1, 1]
    (sold_out,) = figures(shop, "Sold out")
    assert [sold_out["on_hand_now"], sold_out["reserved_now"]] == [1, 1]


def test_the_sellers_dashboard_shows_what_the_catalogue_says(shop: Settings) -> None:
    (total,) = figures(shop, "Whole period")
    assert total == {
        "net_sales": 30.0, "orders": 1, "units": 3, "average_order_value": None,
        "cancellation_rate": 1, "return_rate": 1 / 3,
    }  # fmt: skip
    hours = figures(shop, "Time to confirm, median, Time to confirm, 90 % quantile and 6 more")
    assert sum(row["time_to_ship_median"] or 0 for row in hours) == 1
    (exposure,) = figures(shop, "Exposure")
    assert [exposure[name] for name in ("shown_products", "listed", "shown_sellers")] == [2, 1, 1]
    assert figures(shop, "Clicks by position") == [{"place": "2", "clicks": 1}]


def test_products_and_categories_have_the_names_of_the_newest_change(shop: Settings) -> None:
    (product,) = figures(shop, "Products")
    assert (product["name"], product["category"]) == ("Desk Lamp", "desk lights")
    (category,) = figures(shop, "Categories")
    assert category["category"] == "desk lights"


def test_the_sellers_to_choose_from_have_an_id_and_a_name(shop: Settings) -> None:
    variables = {each["name"]: each for each in build(Settings())["seller"]["templating"]["list"]}
    answer = ask(shop, variables["seller_id"]["query"]["rawSql"])
    assert [list(row.values()) for row in answer["data"]] == [["s1", "Ana's"]]


def test_a_seller_with_a_quote_in_its_id_breaks_no_query(shop: Settings) -> None:
    for panel in (each.values[0] for each in ASKED if "$seller_id" in each.values[0]["title"]):
        answer = ask(shop, as_the_plugin_asks(panel["targets"][0]["rawSql"], seller=r"'o\'hara'"))
        assert answer["rows"] == 0
