"""The metrics of a real ClickHouse, over repeated and late events."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clickhouse.client import connect
from common.settings import Settings
from tests.integration.bounded import Events, Row
from tests.integration.metric_tables import emptied, writable

RunMetrics = Callable[[Events], dict[str, dict[tuple[Any, ...], Row]]]

NOON = datetime(2018, 3, 1, 12, 0, 30, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
MINUTE = "2018-03-01T12:00:00Z"
RETURNED_AT, REFUNDED_AT = "2018-03-10T12:00:00Z", "2018-03-11T12:00:00Z"
DERIVED = {
    "seller_sales_minute": ("seller_id", "minute", "currency"),
    "product_sales_minute": ("seller_id", "product_id", "minute", "currency"),
    "marketplace_sales_minute": ("minute", "currency"),
    "payments_minute": ("minute", "method", "currency"),
    "return_lines": ("seller_id", "minute", "order_id", "kind", "return_id", "line_number"),
    "earning_lines": ("seller_id", "minute", "order_id", "kind", "reference_id", "line_number"),
    "review_scores": ("seller_id", "minute", "order_id", "review_id"),
    "review_versions": ("seller_id", "minute", "order_id", "review_id", "submitted_at"),
    "product_views": ("seller_id", "minute", "event_id"),
    "customer_orders": ("seller_id", "shopper_id", "minute", "order_id"),
    "recommended_items": ("seller_id", "minute", "recommendation_id", "position"),
    "recommendation_lists": ("minute", "recommendation_id"),
}
"""Metric → its key."""

STORED = (
    *("sales_lines", "sales_orders", "captured_payments"),
    *("return_lines", "earning_lines", "review_versions", "product_views"),
    *("recommended_items", "recommendation_clicks", "product_costs"),
    *("session_orders", "funnel_steps", "search_pages", "search_clicks"),
    *("session_steps", "search_visitors", "offer_changes", "recommendation_lists"),
)
"""The metrics that have rows of their own."""


@pytest.fixture(scope="module")
def database(migrated_database: Settings) -> Settings:
    """The shared database with all tables and metrics, and without rows."""
    return emptied(migrated_database)


@pytest.fixture(scope="module")
def run_metrics(database: Settings) -> RunMetrics:
    """A function that computes every metric: events by topic in the order of arrival → metric → key → row."""
    return lambda events: derived(database, events)


def derived(database: Settings, events: Events) -> dict[str, dict[tuple[Any, ...], Row]]:
    """Insert events into the fact tables one by one, and return the rows of ClickHouse's metrics."""
    skipping = {"input_format_skip_unknown_fields": 1, "date_time_input_format": "best_effort"}
    with connect(database, admin=True) as client:
        for rows in STORED:
            client.command(f"TRUNCATE TABLE {writable(database, rows)}")
        for name, arrived in events.items():
            for event in arrived:
                client.raw_insert(name, insert_block=json.dumps(event), fmt="JSONEachRow", settings=skipping)
        return {table: read(client, table, key) for table, key in DERIVED.items()}


def read(client: Client, table: str, key: tuple[str, ...]) -> dict[tuple[Any, ...], Row]:
    """Return a view's rows by key; a minute is text."""
    found = client.query(f"SELECT * REPLACE formatDateTime(minute, '%FT%TZ') AS minute FROM {table}")
    rows = (dict(zip(found.column_names, row, strict=True)) for row in found.result_rows)
    return {tuple(row[column] for column in key): row for row in rows}


def at(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(
    number: int, product: str, seller: str, quantity: int = 1, price: int = 1000, discount: int = 0
) -> Row:
    return {
        "line_number": number, "product_id": product, "seller_id": seller, "quantity": quantity,
        "unit_price_minor": price, "discount_minor": discount, "shipping_minor": 150, "tax_minor": 0,
        "commission_bp": 1000,
    }  # fmt: skip


def placed(order: str, lines: Iterable[Row], moment: datetime = NOON) -> Row:
    return {
        "event_id": f"placed-{order}", "occurred_at": at(moment), "order_id": order, "currency": "BRL",
        "shopper_id": f"s-{order}", "lines": list(lines), "estimated_delivery_at": None,
    }  # fmt: skip


def cancelled(order: str, lines: Iterable[Row], placed_at: datetime = NOON, *, confirmed: bool = True) -> Row:
    return {
        "event_id": f"cancelled-{order}", "occurred_at": at(placed_at + timedelta(days=2)), "order_id": order,
        "shopper_id": f"s-{order}", "reason": "unknown", "placed_at": at(placed_at), "currency": "BRL",
        "lines": list(lines), "confirmed_at": at(placed_at) if confirmed else None,
    }  # fmt: skip


def confirmed(order: Row) -> Row:
    """The confirmation of an order that was placed."""
    return {
        "event_id": f"confirmed-{order['order_id']}", "occurred_at": at(NOON), "order_id": order["order_id"],
        "shopper_id": order["shopper_id"], "placed_at": order["occurred_at"], "currency": order["currency"],
        "lines": order["lines"],
    }  # fmt: skip


def sold(*orders: Row) -> Events:
    """Orders that were placed and confirmed."""
    return {"order_placed": list(orders), "order_confirmed": [confirmed(order) for order in orders]}


def returned(number: int, order: str, product: str, units: int, refund: int) -> Row:
    return {
        "event_id": f"returned-{number}", "occurred_at": at(NOON + timedelta(days=9)),
        "return_id": f"return-{number}", "order_id": order, "shopper_id": f"s-{order}", "seller_id": "ann",
        "shipment_id": None, "reason": "unknown", "placed_at": at(NOON), "currency": "BRL",
        "lines": [{**refunded_line(product, units, refund), "restocked": True}],
    }  # fmt: skip


def refunded_line(product: str, units: int, refund: int) -> Row:
    return {"line_number": 1, "product_id": product, "quantity": units, "refund_minor": refund}


def refunded(number: int, order: str, product: str, units: int, refund: int) -> Row:
    """The refund of a return; a repeated one has another id."""
    return {
        "event_id": f"refunded-{number}", "occurred_at": at(NOON + timedelta(days=10)),
        "refund_id": f"f-{number}", "payment_id": f"p-{order}", "order_id": order, "shopper_id": f"s-{order}",
        "currency": "BRL", "amount_minor": refund, "reason": "order_returned", "seller_id": "ann",
        "return_id": f"return-{number}", "placed_at": at(NOON),
        "lines": [refunded_line(product, units, refund)],
    }  # fmt: skip


def captured(payment: str, amount: int, method: str = "boleto") -> Row:
    return {
        "event_id": f"captured-{payment}", "occurred_at": at(NOON), "payment_id": payment, "order_id": "o",
        "shopper_id": "s", "method": method, "installments": 1, "currency": "BRL", "amount_minor": amount,
    }  # fmt: skip


def test_an_order_counts_once_for_each_seller_and_once_for_the_marketplace(run_metrics: RunMetrics) -> None:
    lines = [line(1, "pen", "ann", quantity=3), line(2, "ink", "ann"), line(3, "cup", "bob", price=700)]
    tables = run_metrics(sold(placed("o", lines)))

    ann = tables["seller_sales_minute"]["ann", MINUTE, "BRL"]
    assert (ann["orders"], ann["lines"], ann["units"], ann["gross_minor"], ann["shipping_minor"]) == (
        1,
        2,
        4,
        4000,
        300,
    )
    everyone = tables["marketplace_sales_minute"][MINUTE, "BRL"]
    assert (everyone["orders"], everyone["lines"], everyone["units"], everyone["gross_minor"]) == (
        1,
        3,
        5,
        4700,
    )
    assert tables["product_sales_minute"]["bob", "cup", MINUTE, "BRL"]["gross_minor"] == 700


def test_repeated_events_add_nothing(run_metrics: RunMetrics) -> None:
    order = placed("o", [line(1, "pen", "ann")])
    cancellation = cancelled("o", [line(1, "pen", "ann")])
    payment = captured("p", 1150)
    tables = run_metrics(
        {
            "order_placed": [order] * 3,
            "order_confirmed": [confirmed(order)] * 2,
            "order_cancelled": [cancellation] * 2,
            "payment_refunded": [refunded(1, "o", "pen", 1, 900)] * 2,
            "payment_captured": [payment] * 2,
        }
    )

    assert tables["seller_sales_minute"]["ann", MINUTE, "BRL"]["gross_minor"] == 1000
    assert tables["seller_sales_minute"]["ann", MINUTE, "BRL"]["cancelled_orders"] == 1
    assert tables["seller_sales_minute"]["ann", MINUTE, "BRL"]["returned_minor"] == 900
    assert tables["marketplace_sales_minute"][MINUTE, "BRL"]["cancelled_units"] == 1
    assert tables["payments_minute"][MINUTE, "boleto", "BRL"]["amount_minor"] == 1150


def test_a_return_takes_from_the_seller_what_the_shopper_and_the_marketplace_had_paid(
    run_metrics: RunMetrics, database: Settings
) -> None:
    shared = {"marketplace_minor": 80, "line_voucher_id": "ann's", "order_voucher_id": "the marketplace's"}
    kept = placed("kept", [line(1, "pen", "ann", discount=200) | shared, line(2, "ink", "ann", discount=50)])
    gone = placed("gone", [line(1, "pen", "ann", discount=200) | shared])
    refund = refunded(1, "kept", "pen", 1, 720)
    refund["lines"][0]["marketplace_minor"] = 80
    cancellation = cancelled("gone", gone["lines"])
    afterwards = {"order_cancelled": [cancellation], "payment_refunded": [refund]}
    tables = run_metrics(sold(kept, gone) | afterwards)

    ann = tables["seller_sales_minute"]["ann", MINUTE, "BRL"]
    assert (ann["returned_minor"], ann["revenue_minor"]) == (800, 950)
    assert tables["marketplace_sales_minute"][MINUTE, "BRL"]["returned_minor"] == 800
    assert [row["refunded_minor"] for row in tables["return_lines"].values()] == [720]
    earned = [row for row in tables["earning_lines"].values() if row["kind"] == "refunded"]
    assert [(row["refunded_minor"], row["earned_minor"]) for row in earned] == [(800, -800)]
    with connect(database, admin=True) as client:
        sums = "kind, sum(voucher_minor), sum(marketplace_minor) FROM sales_lines FINAL GROUP BY kind"
        assert {kind: sums for kind, *sums in client.query(f"SELECT {sums}").result_rows} == {
            "sold": [400, 160], "cancelled": [-200, -80], "returned": [0, -80],
        }  # fmt: skip


def test_an_order_that_arrives_a_year_late_counts_in_its_own_minute(run_metrics: RunMetrics) -> None:
    now = [placed(f"new{n}", [line(1, "pen", "ann")], NOON + timedelta(days=365)) for n in range(5)]
    tables = run_metrics(sold(*now, placed("old", [line(1, "pen", "ann")])))

    assert tables["seller_sales_minute"]["ann", MINUTE, "BRL"]["orders"] == 1


def test_an_order_that_was_never_confirmed_is_no_sale(
    run_metrics: RunMetrics,
) -> None:
    refused = placed("refused", [line(1, "pen", "ann", quantity=1000)])
    tables = run_metrics(
        {
            "order_placed": [refused],
            "order_cancelled": [cancelled("refused", refused["lines"], confirmed=False)],
        }
    )

    for table in (
        "seller_sales_minute",
        "product_sales_minute",
        "marketplace_sales_minute",
    ):
        assert tables[table] == {}


def test_a_cancelled_order_takes_its_discount_along(run_metrics: RunMetrics) -> None:
    order = placed("o", [line(1, "pen", "ann", price=10_000, discount=1_000)])
    tables = run_metrics({**sold(order), "order_cancelled": [cancelled("o", order["lines"])]})

    for table in ("seller_sales_minute", "product_sales_minute", "marketplace_sales_minute"):
        ((_, row),) = tables[table].items()
        assert net_minor(row) == 0
        assert (row["gross_minor"], row["cancelled_gross_minor"], row["cancelled_discount_minor"]) == (
            10_000,
            10_000,
            1_000,
        )


def test_a_return_is_taken_off_once_its_money_went_back(run_metrics: RunMetrics) -> None:
    orders = [placed("o", [line(1, "pen", "ann", quantity=3)])]
    tables = run_metrics(
        {
            **sold(*orders),
            "order_returned": [returned(1, "o", "pen", 2, 1_900), returned(2, "o", "pen", 9, 9_999)],
            "payment_refunded": [refunded(1, "o", "pen", 2, 1_900)],
        }
    )

    for table in ("seller_sales_minute", "product_sales_minute", "marketplace_sales_minute"):
        ((_, row),) = tables[table].items()
        assert (row["returned_units"], row["returned_minor"], net_minor(row)) == (2, 1_900, 1_100)


def test_returns_and_refunds_count_at_their_own_time_and_once(run_metrics: RunMetrics) -> None:
    tables = run_metrics(
        {
            "order_returned": [returned(1, "o", "pen", 2, 1_900)] * 2,
            "payment_refunded": [refunded(1, "o", "pen", 2, 1_900)] * 2,
        }
    )

    rows = tables["return_lines"]
    assert {(key[1], key[3]) for key in rows} == {(RETURNED_AT, "returned"), (REFUNDED_AT, "refunded")}
    came_back, paid_back = (
        rows["ann", at, "o", kind, "return-1", 1]
        for at, kind in ((RETURNED_AT, "returned"), (REFUNDED_AT, "refunded"))
    )
    assert (came_back["returns"], came_back["returned_units"], came_back["restocked_units"]) == (1, 2, 2)
    assert (came_back["refunded_minor"], came_back["reason"]) == (0, "unknown")
    assert (paid_back["refunds"], paid_back["refunded_units"], paid_back["refunded_minor"]) == (1, 2, 1_900)
    assert paid_back["returned_units"] == 0


def test_earnings_are_booked_at_their_own_time_and_once(run_metrics: RunMetrics) -> None:
    order = placed("o", [line(1, "pen", "ann", price=1_005, discount=10)])
    paid = {
        "event_id": "paid-1", "occurred_at": at(NOON), "payout_id": "x", "seller_id": "ann",
        "period_start_at": at(NOON), "period_end_at": at(NOON), "currency": "BRL", "gross_minor": 1,
        "commission_minor": 0, "refunded_minor": 0, "amount_minor": 77, "reference": None,
    }  # fmt: skip
    tables = run_metrics(
        {
            "order_confirmed": [confirmed(order)] * 2,
            "order_cancelled": [cancelled("o", order["lines"])] * 2,
            "payment_refunded": [refunded(1, "o", "pen", 1, 300)] * 2,
            "payout_paid": [paid] * 2,
        }
    )

    rows = {key[3]: row for key, row in tables["earning_lines"].items()}
    assert len(rows) == len(tables["earning_lines"])
    # A tenth of 995 is 99.5, which is rounded half up.
    sold_row, cancelled_row = rows["sold"], rows["cancelled"]
    assert (sold_row["sold_minor"], sold_row["shipping_minor"], sold_row["commission_minor"]) == (
        995,
        150,
        100,
    )
    assert sold_row["earned_minor"] == 995 + 150 - 100 == -cancelled_row["earned_minor"]
    assert (cancelled_row["minute"], cancelled_row["commission_minor"]) == ("2018-03-03T12:00:00Z", -100)
    assert (rows["refunded"]["minute"], rows["refunded"]["earned_minor"]) == (REFUNDED_AT, -300)
    assert (rows["paid"]["paid_minor"], rows["paid"]["earned_minor"]) == (77, 0)


def review(step: str, decided_at: datetime = NOON, written_at: datetime = NOON, **fields: Any) -> Row:
    """What happened to a version of a review: it was submitted, published, rejected or withdrawn."""
    return {
        "event_id": f"{step}-{at(decided_at)}", "occurred_at": at(decided_at), "submitted_at": at(written_at),
        "review_id": "r", "order_id": "o", "shopper_id": "s", "product_id": None, "seller_id": "ann",
        "score": 4,
    } | fields  # fmt: skip


def test_a_published_review_counts_once_and_only_if_it_is_about_a_seller(run_metrics: RunMetrics) -> None:
    published = review("published", LATER)
    of_nobody = review("published", LATER, event_id="other", order_id="p", seller_id=None)
    unknown = review("published", LATER, event_id="old", order_id="q", submitted_at=None)
    tables = run_metrics(
        {
            "review_published": [published, published, of_nobody, unknown],
            "review_submitted": [review("submitted")],
        }
    )

    [row] = tables["review_scores"].values()
    assert (row["seller_id"], row["minute"], row["product_id"]) == ("ann", MINUTE, "")
    assert (row["reviews"], row["score"]) == (1, 4)


@pytest.mark.parametrize(
    ("steps", "counted"),
    [
        ([("submitted", NOON)], False),
        ([("published", NOON)], True),
        ([("rejected", LATER)], False),
        ([("published", LATER), ("withdrawn", LATER)], False),
        ([("published", NOON), ("rejected", LATER)], False),
        ([("rejected", NOON), ("published", LATER)], True),
    ],
    ids=lambda steps: " ".join(step for step, _ in steps) if isinstance(steps, list) else None,
)
@pytest.mark.parametrize("order", [1, -1])
def test_a_review_counts_if_its_publication_was_the_last_that_happened_to_it(
    run_metrics: RunMetrics, steps: list[tuple[str, datetime]], counted: bool, order: int
) -> None:
    arrived = {f"review_{step}": [review(step, moment)] for step, moment in steps[::order]}

    assert [row["score"] for row in run_metrics(arrived)["review_scores"].values()] == [4] * counted


def test_a_review_that_was_written_anew_counts_once_even_in_the_same_minute(run_metrics: RunMetrics) -> None:
    again_at = NOON + timedelta(seconds=9)
    tables = run_metrics(
        {
            "review_published": [
                review("published", again_at, again_at, score=1),
                review("published", NOON + timedelta(seconds=1)),
            ],
            "review_withdrawn": [review("withdrawn", again_at)],
        }
    )  # fmt: skip

    assert [row["score"] for row in tables["review_scores"].values()] == [1]
    statuses = {row["submitted_at"].second: row["status"] for row in tables["review_versions"].values()}
    assert statuses == {NOON.second: "withdrawn", again_at.second: "published"}


def test_a_view_counts_once_and_only_if_a_seller_was_shown(run_metrics: RunMetrics) -> None:
    view = {
        "event_id": "view-1", "occurred_at": at(NOON), "session_id": "visit", "shopper_id": None,
        "product_id": "pen", "seller_id": "ann", "source": "search", "search_id": None,
        "recommendation_id": None,
    }  # fmt: skip
    tables = run_metrics({"product_viewed": [view, view, view | {"event_id": "view-2", "seller_id": None}]})

    [row] = tables["product_views"].values()
    assert (row["seller_id"], row["product_id"], row["session_id"], row["views"]) == (
        "ann",
        "pen",
        "visit",
        1,
    )


def test_an_order_is_one_order_of_the_customer_of_each_seller(run_metrics: RunMetrics) -> None:
    order = placed("o", [line(1, "pen", "ann"), line(2, "ink", "ann"), line(3, "cup", "bob")])
    tables = run_metrics({"order_confirmed": [confirmed(order)] * 2})

    assert tables["customer_orders"].keys() == {(seller, "s-o", MINUTE, "o") for seller in ("ann", "bob")}


def test_a_recommended_item_counts_once_and_only_if_its_seller_is_known(run_metrics: RunMetrics) -> None:
    def item(position: int, seller: str | None) -> Row:
        return {"position": position, "product_id": "pen", "seller_id": seller, "score": 1.0, "source": None}

    shown = {
        "event_id": "shown-1", "occurred_at": at(NOON), "recommendation_id": "list", "session_id": "visit",
        "shopper_id": None, "surface": "home", "strategy": "popular_products", "model_version": None,
        "experiment": None, "variant": None, "anchor_product_id": None,
        "items": [item(1, "ann"), item(2, None)],
    }  # fmt: skip
    tables = run_metrics({"recommendation_shown": [shown, shown]})

    assert tables["recommended_items"].keys() == {("ann", MINUTE, "list", 1)}
    assert tables["recommendation_lists"][MINUTE, "list"]["impressions"] == 1


def test_a_session_has_each_different_event_once(run_metrics: RunMetrics, database: Settings) -> None:
    visit = {"session_id": "visit", "occurred_at": at(NOON), "product_id": "pen", "shopper_id": None}
    viewed = visit | {"event_id": "v-1", "seller_id": "ann", "source": "search", "search_id": "s"}
    carted = visit | {
        "event_id": "c-1", "seller_id": "ann", "cart_id": "cart", "quantity_before": 0, "quantity": 1,
        "currency": "BRL", "unit_price_minor": 5,
    }  # fmt: skip
    searched = visit | {
        "event_id": "q-1", "search_id": "s", "query": " A  Pen", "filters": {}, "page_number": 1,
        "result_count": 1, "product_ids": ["pen"],
    }  # fmt: skip
    order = placed("o1", [line(1, "pen", "ann"), line(2, "ink", "bob"), line(3, "cup", "ann")])
    empty = placed("o2", [])
    run_metrics(
        {
            "product_viewed": [viewed, viewed, viewed | {"event_id": "v-2", "seller_id": None}],
            "cart_changed": [
                *(carted, carted, carted | {"event_id": "c-2", "quantity_before": 2}),
                carted | {"event_id": "c-3", "reason": "merged"},
            ],
            "search_performed": [searched, searched],
            "order_placed": [each | {"session_id": "visit"} for each in (order, order, empty)],
        }
    )
    with connect(database, admin=True) as client:
        ((session, first_at, last_at, steps),) = client.query("SELECT * FROM session_steps").result_rows
        typed = client.query("SELECT query, session_id, shopper_id FROM search_visitors").result_rows

    at_ms = int(NOON.timestamp() * 1_000)
    noon = NOON.replace(tzinfo=None)
    assert (session, first_at, last_at) == ("visit", noon, noon)
    assert sorted(tuple(step.values()) if isinstance(step, dict) else step for step in steps) == [
        (at_ms, 0, "", ""), (at_ms, 1, "", "ann"), (at_ms, 2, "", "ann"), (at_ms, 3, "o1", "ann"),
        (at_ms, 3, "o1", "bob"),
    ]  # fmt: skip
    assert typed == [("a pen", "visit", "")]


def test_an_offer_has_each_of_its_changes_once(run_metrics: RunMetrics, database: Settings) -> None:
    listed = {
        "event_id": "l-1", "occurred_at": at(NOON), "product_id": "pen", "seller_id": "ann", "name": None,
        "category": None, "currency": "BRL", "price_minor": 900,
    }  # fmt: skip
    cheaper = listed | {"event_id": "l-2", "occurred_at": at(NOON + timedelta(days=1)), "price_minor": 800}
    gone = {**cheaper, "event_id": "l-3", "occurred_at": at(NOON + timedelta(days=2)), "reason": "unknown"}
    run_metrics(
        {
            "product_delisted": [gone, gone],
            "product_changed": [cheaper | {"changed_fields": ["price_minor"]}] * 2,
            "product_listed": [listed, listed],
        }
    )
    with connect(database, admin=True) as client:
        found = client.query(
            "SELECT is_listed, currency, price_minor FROM offer_changes ORDER BY at"
        ).result_rows

    assert found == [(1, "BRL", 900), (1, "BRL", 800), (0, "", 0)]


def net_minor(row: Row) -> int:
    """The revenue of a row."""
    cancelled_minor = row["cancelled_gross_minor"] - row["cancelled_discount_minor"]
    return row["gross_minor"] - row["discount_minor"] - cancelled_minor - row["returned_minor"]


def test_an_order_without_lines_counts_in_the_marketplace_only(run_metrics: RunMetrics) -> None:
    tables = run_metrics({**sold(placed("empty", [])), "order_cancelled": [cancelled("empty", [])]})

    assert tables["marketplace_sales_minute"][MINUTE, "BRL"] == {
        "minute": MINUTE, "currency": "BRL", "orders": 1, "lines": 0, "units": 0, "gross_minor": 0,
        "discount_minor": 0, "shipping_minor": 0, "cancelled_orders": 1, "cancelled_units": 0,
        "cancelled_gross_minor": 0, "cancelled_discount_minor": 0, "cancelled_shipping_minor": 0,
        "returned_units": 0, "returned_minor": 0, "revenue_minor": 0,
    }  # fmt: skip
    assert tables["seller_sales_minute"] == {}


LINES = st.lists(
    st.builds(
        line,
        number=st.just(1),
        product=st.sampled_from(["pen", "ink", "cup"]),
        seller=st.sampled_from(["ann", "bob"]),
        quantity=st.integers(0, 5),
        price=st.integers(0, 10**9),
        discount=st.integers(0, 9),
    ),
    max_size=4,
).map(lambda lines: [{**entry, "line_number": n} for n, entry in enumerate(lines, 1)])
ORDERS = st.lists(st.tuples(LINES, st.integers(0, 3)), min_size=1, max_size=8)
FIGURES = (
    *("orders", "lines", "units", "gross_minor", "discount_minor", "shipping_minor"),
    *("cancelled_orders", "cancelled_units", "cancelled_gross_minor"),
    *("cancelled_discount_minor", "cancelled_shipping_minor"),
)


@hypothesis_settings(
    max_examples=hypothesis_settings.default.max_examples // 20,  # each inserts some dozens of events
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(orders=ORDERS, random=st.randoms(use_true_random=False))
def test_sums_equal_a_plain_recomputation(run_metrics: RunMetrics, orders: Any, random: Any) -> None:
    events = [placed(f"o{n}", lines, NOON + timedelta(minutes=m)) for n, (lines, m) in enumerate(orders)]
    sure = {event["order_id"] for event in events if random.random() < 0.8}
    gone = [
        cancelled(f"o{n}", lines, NOON + timedelta(minutes=m), confirmed=f"o{n}" in sure)
        for n, (lines, m) in enumerate(orders)
        if random.random() < 0.5
    ]
    known = [event for event in events if random.random() < 0.8]  # a history may begin in the middle
    tables = run_metrics(
        {
            "order_placed": repeated(known, random),
            "order_confirmed": repeated(
                [confirmed(event) for event in known if event["order_id"] in sure], random
            ),
            "order_cancelled": repeated(gone, random),
        }
    )

    sellers: dict[Any, Counter[str]] = defaultdict(Counter)
    everyone: dict[Any, Counter[str]] = defaultdict(Counter)
    for event in (*known, *gone):
        if event["order_id"] not in sure:
            continue
        prefix = "cancelled_" if "placed_at" in event else ""
        minute = (event.get("placed_at") or event["occurred_at"])[:16] + ":00Z"
        of_all = everyone[minute, "BRL"]
        of_all[f"{prefix}orders"] += 1
        for seller in {entry["seller_id"] for entry in event["lines"]}:
            sellers[seller, minute, "BRL"][f"{prefix}orders"] += 1
        for entry in event["lines"]:
            for name, value in summed(entry).items():
                sellers[entry["seller_id"], minute, "BRL"][prefix + name] += value
                of_all[prefix + name] += value
    for table, expected in (("seller_sales_minute", sellers), ("marketplace_sales_minute", everyone)):
        found = {key: {name: row[name] for name in FIGURES} for key, row in tables[table].items()}
        assert found == {key: {name: sums[name] for name in FIGURES} for key, sums in expected.items()}


def summed(entry: Row) -> dict[str, int]:
    """Return the amounts that a line adds to the sums."""
    gross = entry["quantity"] * entry["unit_price_minor"]
    same = {name: entry[name] for name in ("discount_minor", "shipping_minor")}
    return {"lines": 1, "units": entry["quantity"], "gross_minor": gross, **same}


def repeated(events: list[Row], random: Any) -> list[Row]:
    """The events in a random order, half of them twice."""
    arrivals = events + random.sample(events, k=len(events) // 2)
    random.shuffle(arrivals)
    return arrivals
