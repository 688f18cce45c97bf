"""The views for analysts: exact, documented, and fast where they are filtered by seller or time."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.analytics.catalogue import read_views
from clickhouse.client import connect
from clickhouse.databases import analytics_database
from clickhouse.views import install_analytics
from common.money import to_major
from common.settings import Settings
from tests.integration.analytics_shop import ODD, events, fill
from tests.integration.metric_tables import emptied

VIEWS = read_views()
PERSONAL = {"zip_prefix", "tracking_code", "email", "phone"}


@pytest.fixture(scope="module")
def shop(migrated_database: Settings) -> Iterator[Settings]:
    """A database with the events of the small marketplace, in which merges do not hide repeated events."""
    settings = emptied(migrated_database)
    admin = connect(settings, admin=True)
    admin.command("SYSTEM STOP MERGES")
    fill(settings)
    yield settings
    admin.command("SYSTEM START MERGES")


@pytest.fixture(scope="module")
def analyst(shop: Settings) -> Client:
    """A client of an analyst whose database is that of the views."""
    return connect(shop, database=analytics_database(shop.clickhouse_database))


def rows(client: Client, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    return list(client.query(query, parameters).result_rows)


def test_every_view_and_every_column_has_its_comment(analyst: Client) -> None:
    comments = dict(
        rows(analyst, "SELECT name, comment FROM system.tables WHERE database = currentDatabase()")
    )
    assert {re.sub(r" \(version \w{8}\)$", "", comment) for comment in comments.values()} == {
        view.description for view in VIEWS.values()
    }
    columns = rows(
        analyst,
        "SELECT table, name, type, comment FROM system.columns "
        "WHERE database = currentDatabase() ORDER BY table, position",
    )
    declared = [(name, *column) for name, view in VIEWS.items() for column in map(vars_of, view.columns)]
    assert columns == declared
    assert all(comment.endswith(".") for *_, comment in columns)


def vars_of(column: Any) -> tuple[str, str, str]:
    return column.name, column.type, column.comment


def test_the_columns_of_an_answer_have_the_declared_types(analyst: Client) -> None:
    """The types of an answer come from the query of a view: a comparison is a UInt8 and not a Bool."""
    for name, view in VIEWS.items():
        answer = analyst.query(f"SELECT * FROM {name} LIMIT 0")
        found = [each.name for each in answer.column_types]
        assert found == [column.type for column in view.columns], name


def test_a_second_installation_changes_nothing(shop: Settings) -> None:
    assert install_analytics(connect(shop, admin=True), VIEWS) == []


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_no_minor_units_no_maps_and_no_personal_data(name: str) -> None:
    for column in VIEWS[name].columns:
        assert "_minor" not in column.name
        assert "Map(" not in column.type
        assert "Tuple(" not in column.type
        assert column.name not in PERSONAL
    if name == "shoppers":
        assert not {"city", "name"} & {column.name for column in VIEWS[name].columns}


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_answers_the_same_for_every_user(name: str, shop: Settings) -> None:
    """A view must not depend on the default settings of a reader."""
    found = []
    for admin in (False, True):
        with connect(shop, admin=admin, database=analytics_database(shop.clickhouse_database)) as client:
            found.append(sorted(map(repr, rows(client, f"SELECT * FROM {name}"))))
    assert found[0] == found[1]
    assert found[0], "the small marketplace fills every view"


@pytest.mark.parametrize("name", VIEWS)
def test_the_example_of_a_view_runs(name: str, shop: Settings, analyst: Client) -> None:
    view = VIEWS[name]
    assert view.question.endswith("?")
    assert f"analytics.{name}" in view.example
    database = analytics_database(shop.clickhouse_database)
    # The example's periods end now; the events are of the first half of 2026.
    example = view.example.replace("analytics.", f"{database}.").replace("now()", "toDateTime('2026-06-20')")
    assert rows(analyst, example) or name == "products"


def test_sales_equal_those_of_the_sellers_pages(shop: Settings, analyst: Client) -> None:
    facts = f"`{shop.clickhouse_database}`"
    figures = ("gross_minor", "discount_minor", "shipping_minor", "returned_minor", "revenue_minor")
    sums = ", ".join(
        f"sum({name} - cancelled_{name})" if name in figures[:3] else f"sum({name})" for name in figures
    )
    expected = {
        (seller, month, currency): tuple(to_major(value, currency) for value in values)
        for seller, month, currency, *values in rows(
            analyst,
            f"SELECT seller_id, toYYYYMM(minute) AS month, currency, {sums} FROM {facts}.seller_sales_minute "
            "GROUP BY ALL",
        )
    }
    assert {currency for *_, currency in expected} == {"BRL", "JPY", "KWD"}
    assert ODD in {seller for seller, *_ in expected}
    key = "seller_id, toYYYYMM(placed_at) AS month, currency"
    sales = rows(
        analyst,
        f"SELECT {key}, sum(gross), sum(discount), sum(shipping), sum(refund), sum(net_sales) FROM sales "
        "GROUP BY ALL",
    )
    lines = rows(
        analyst,
        f"SELECT {key}, sumIf(gross, sold), sumIf(discount, sold), sumIf(shipping, sold), sum(returned), "
        "sum(net_sales) FROM (SELECT *, is_confirmed AND NOT is_cancelled AS sold FROM order_lines) "
        "GROUP BY ALL HAVING max(is_confirmed)",
    )
    assert {row[:3]: row[3:] for row in sales} == expected
    assert {row[:3]: row[3:] for row in lines} == expected


def test_orders_equal_the_marketplace_s_sales(shop: Settings, analyst: Client) -> None:
    expected = {
        currency: (to_major(revenue, currency), to_major(returned, currency))
        for currency, revenue, returned in rows(
            analyst,
            "SELECT currency, sum(revenue_minor), sum(returned_minor) "
            f"FROM `{shop.clickhouse_database}`.marketplace_sales_minute GROUP BY currency",
        )
    }
    found = rows(analyst, "SELECT currency, sum(net_sales), sum(returned) FROM orders GROUP BY currency")
    assert {currency: tuple(values) for currency, *values in found} == expected


def test_orders_and_payments_equal_their_events(analyst: Client) -> None:
    made = events(1)
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for order in made["order_placed"]:
        for line in order["lines"]:
            value = line["quantity"] * line["unit_price_minor"] - line["discount_minor"]
            value += line["shipping_minor"] + line["tax_minor"] - (line["marketplace_minor"] or 0)
            totals[order["currency"]] += to_major(value, order["currency"])
    assert dict(rows(analyst, "SELECT currency, sum(total) FROM orders GROUP BY currency")) == totals
    reasons = Counter(event["reason"] for event in made["order_cancelled"])
    found = rows(
        analyst,
        "SELECT cancellation_reason, count() FROM orders WHERE status = 'cancelled' GROUP BY ALL",
    )
    assert dict(found) == reasons
    taken: dict[str, Decimal] = defaultdict(Decimal)
    for table, sign in (("payment_captured", 1), ("payment_refunded", -1)):
        for event in made[table]:
            taken[event["currency"]] += sign * to_major(event["amount_minor"], event["currency"])
    assert dict(rows(analyst, "SELECT currency, sum(net) FROM payments GROUP BY currency")) == taken


def test_a_cart_that_was_left_is_a_row_for_each_line_of_its_seller(analyst: Client) -> None:
    left = events(1)["cart_abandoned"]
    units, amount = (sum(event[name] for event in left) for name in ("units", "amount_minor"))
    sums = "count(), sum(quantity), sum(amount)"
    found = rows(analyst, f"SELECT uniqExact(cart_id), {sums} FROM abandoned_carts")
    assert found == [(len(left), 2 * len(left), units, to_major(amount, "BRL"))]
    lines = [line for event in left for line in event["lines"] if line["seller_id"] == ODD]
    query = f"SELECT {sums} FROM abandoned_carts WHERE seller_id = {{seller:String}}"
    own = sum(line["quantity"] for line in lines)
    value = sum(line["quantity"] * line["unit_price_minor"] for line in lines)
    assert rows(analyst, query, seller=ODD) == [(len(lines), own, to_major(value, "BRL"))]


def test_what_is_unknown_is_null(analyst: Client) -> None:
    made = events(1)
    pending = len(made["order_returned"]) - len(made["payment_refunded"])
    assert pending > 0
    assert rows(analyst, "SELECT count() FROM returns WHERE refunded_at IS NULL") == [(pending,)]
    transit = len(made["order_shipped"]) - len(made["order_delivered"])
    assert rows(analyst, "SELECT count() FROM shipments WHERE delivered_at IS NULL") == [(transit,)]
    unclicked = 2 * len(made["recommendation_shown"]) - len(made["recommendation_clicked"])
    assert rows(analyst, "SELECT count() FROM recommendations WHERE clicked_at IS NULL") == [(unclicked,)]
    hidden = rows(analyst, "SELECT DISTINCT comment FROM reviews WHERE status != 'published'")
    assert hidden == [(None,)]
    states = "submitted", "published", "rejected", "withdrawn"
    assert set(rows(analyst, "SELECT DISTINCT status FROM reviews")) == {(state,) for state in states}
    newest = {event["review_id"]: event for event in made["review_submitted"]}
    assert rows(analyst, "SELECT count(), uniqExact(review_id), sum(score) FROM reviews") == [
        (len(newest), len(newest), sum(event["score"] for event in newest.values()))
    ]
    ended = {event["review_id"] for event in made["review_withdrawn"]}
    published = {event["review_id"] for event in made["review_published"]} - ended
    assert {
        row[0] for row in rows(analyst, "SELECT review_id FROM reviews WHERE status = 'published'")
    } == published
    replied = {event["review_id"]: event["text"] for event in made["review_answered"]}
    assert dict(rows(analyst, "SELECT review_id, reply FROM reviews WHERE reply IS NOT NULL")) == {
        review: text for review, text in replied.items() if review in published
    }
    assert rows(analyst, "SELECT state, erased_at IS NULL FROM shoppers WHERE shopper_id = 'u0'") == [
        (None, 0)
    ]


def test_an_offer_is_as_it_is_now(analyst: Client) -> None:
    query = (
        "SELECT product_id, price, is_on_offer, units_on_hand, units_available FROM products "
        "WHERE seller_id = {seller:String} AND product_id IN ('p0', 'p1', 'p2') ORDER BY product_id"
    )
    assert rows(analyst, query, seller=ODD) == [
        ("p0", Decimal("19.99"), True, 10, 9),
        ("p1", Decimal(25), True, 10, 9),
        ("p2", Decimal("20.01"), False, 10, 9),
    ]


def test_a_visit_ends_after_half_an_hour_without_an_event(analyst: Client) -> None:
    query = (
        "SELECT views, searches, cart_additions FROM sessions WHERE visitor_id = {who:String} ORDER BY ALL"
    )
    anonymous = rows(analyst, query, who="visit-77")
    assert anonymous == [(1, 0, 1), (2, 1, 0)]
    ordered = rows(analyst, "SELECT sum(orders), countIf(shopper_id IS NULL) FROM sessions")
    assert ordered == [(len(events(1)["order_placed"]), 160)]


@pytest.mark.parametrize(
    ("name", "filtered", "tables"),
    [
        ("sales", "seller_id = 'seller-ana'", 1),
        ("order_lines", "seller_id = 'seller-ana'", 2),
        ("products", "seller_id = 'seller-ana' AND product_id = 'p1'", 4),
        ("orders", "order_id = 'order-1'", 4),
        ("shipments", "order_id = 'order-1'", 2),
    ],
)
def test_a_filter_reaches_the_keys_of_the_tables(
    shop: Settings, name: str, filtered: str, tables: int
) -> None:
    with connect(shop, admin=True, database=analytics_database(shop.clickhouse_database)) as client:
        plan = "\n".join(
            row[0] for row in rows(client, f"EXPLAIN indexes = 1 SELECT * FROM {name} WHERE {filtered}")
        )
    assert len(re.findall(r"Condition: \(", plan)) >= tables, plan


@pytest.mark.parametrize(
    ("name", "column"), [("sales", "placed_at"), ("order_lines", "placed_at"), ("orders", "placed_at")]
)
def test_a_filter_by_time_leaves_out_other_years(shop: Settings, name: str, column: str) -> None:
    query = f"EXPLAIN indexes = 1 SELECT * FROM {name} WHERE {column} < '2020-01-01 00:00:00'"
    with connect(shop, admin=True, database=analytics_database(shop.clickhouse_database)) as client:
        plan = "\n".join(row[0] for row in rows(client, query))
    assert re.search(r"Granules: 0/[1-9]|ReadNothing|Parts: 0/[1-9]", plan), plan
