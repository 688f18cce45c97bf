"""The audit finds differences between the services' tables and the facts, or other services' tables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.client import Client

from audit.comparison import ComparisonResult
from audit.connect import stores
from audit.registry import COMPARISONS
from audit.run import compare_once
from audit.sources.events import EventLog
from audit.sources.kafka import KafkaTopics
from audit.sources.service_db import ServiceDatabase
from clickhouse.client import connect
from common.clock import system_clock
from common.consumer_lag import total_lag
from common.ids import new_id
from common.settings import Settings
from jobs.catch_up import wait_for_zero_lag
from schemas.codec import Decoder
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from schemas.services import TOPICS_BY_GROUP
from tests.integration.commerce.conftest import Shop
from tests.integration.commerce.people import admin
from tests.integration.commerce.users import PASSWORD, People
from tests.integration.metric_tables import emptied
from tests.integration.servers import await_true

OF_SERVICES = (
    "service_db_vs_orders", "service_db_vs_order_lines", "service_db_vs_order_steps",
    "service_db_vs_order_state", "service_db_vs_order_outcomes", "service_db_vs_stock",
    "service_db_vs_reservations", "service_db_vs_payments", "service_db_vs_refunds", "orders_vs_payments",
    "orders_vs_reservations", "reservations_vs_stock", "payments_vs_provider", "outboxes", "inbox_vs_facts",
    "returns_vs_reservations", "returns_vs_orders", "returns_vs_refunds", "service_db_vs_confirmations",
    "service_db_vs_cancellations", "service_db_vs_shoppers", "service_db_vs_sellers",
    "service_db_vs_costs", "service_db_vs_reviews", "service_db_vs_products",
    "service_db_vs_carts", "copies_of_offers", "copies_of_stock",
    "service_db_vs_alerts", "copies_of_listings", "copies_of_commission_rules",
    "copies_of_seller_status", "service_db_vs_voucher_uses",
)  # fmt: skip
LINES, ORDERED, REFUNDS = "inventory.reserved_lines", "orders.order_lines", "payments.refunds"
ORDER_STATE = "INSERT INTO order_state (order_id, shopper_id, currency, status) VALUES"


def quiet(*_: object) -> None:
    """Shows no progress."""


@dataclass(frozen=True)
class Audited:
    """Orders of every outcome, the services' tables, and the facts of their events."""

    settings: Settings
    shop: Shop
    product: str
    orders: dict[str, str]
    """Outcome → order id."""
    shopper_ids: tuple[str, ...]
    """Those of a registered person and of an erased one."""
    clickhouse: Client
    """A client of the administrator."""
    unchanged: dict[str, ComparisonResult] = field(default_factory=dict)
    """Comparison → its result without a change. Tests of other files may have left differences."""

    def before(self, name: str) -> ComparisonResult:
        """Return the result of a comparison without a change."""
        if name not in self.unchanged:
            (self.unchanged[name],) = self.ask(name)
        return self.unchanged[name]

    def ask(self, name: str) -> list[ComparisonResult]:
        with stores(self.settings, None, quiet) as opened:
            return compare_once(name, opened)

    def differences(self, name: str) -> set[tuple[str, Any, Any]]:
        """Return field, left and right value of each difference of these orders and their product."""
        (found,) = self.ask(name)
        return self.own_differences(found)

    def own_differences(self, found: ComparisonResult) -> set[tuple[str, Any, Any]]:
        """Return those of a result."""
        own = {self.product, *self.orders.values(), *self.shopper_ids}
        return {
            (each.field, each.left, each.right) for each in found.differences if own & set(each.key.values())
        }


def end_an_alert(shop: Shop) -> None:
    """Let a rule have an open alert, and delete the rule, which ends the alert."""
    now, rule_id = system_clock().isoformat(), new_id()
    rule = {
        "rule_id": rule_id, "seller_id": "seller-1", "name": "Few", "version": 1, "created_at": now,
        "metric": "orders", "window_length": "hour", "severity": "info", "fires_after": 1,
        "condition": {"kind": "threshold", "direction": "below", "value": 1}, "resolves_after": 1,
        "distance_minutes": 60, "timezone": "UTC", "target": "page", "is_enabled": False, "state_count": 0,
        "evaluate_at": now, "evaluated_until": now, "made_at": now, "state": "firing", "alert_id": new_id(),
    }  # fmt: skip
    statement = "INSERT INTO alerts.rules SELECT * FROM jsonb_populate_record(NULL::alerts.rules, $1::jsonb)"
    shop.sql(statement, orjson.dumps(rule).decode())
    with shop.as_principal(admin()) as http:
        http.delete(f"/v1/sellers/seller-1/alerts/{rule_id}").raise_for_status()


@pytest.fixture(scope="module")
def audited(running_shop: Shop, migrated_database: Settings) -> Iterator[Audited]:
    shop, there = running_shop, migrated_database
    settings = shop.settings.model_copy(
        update={
            "clickhouse_url": there.clickhouse,
            "clickhouse_admin_password": there.clickhouse_admin_password,
            "clickhouse_analyst_password": there.clickhouse_analyst_password,
            "clickhouse_database": there.clickhouse_database,
        }
    )
    product = shop.product(stock=20)
    shop.tell("seller_registered", seller_id="seller-1", name="Ana")
    orders = {
        "confirmed": shop.buy(product, quantity=2),
        "declined": shop.buy(product, token="tok_decline"),
        "sold out": shop.buy(product, quantity=500),
        "cancelled": shop.buy(product, quantity=3),
        "returned": shop.buy(product, quantity=4),
    }
    with shop.as_principal(admin()) as http:
        voucher = {"name": "V", "code": f"V-{new_id()[-12:]}", "kind": "amount", "amount_minor": 301}
        codes = [http.post("/v1/vouchers", json=voucher).raise_for_status().json()["code"]]
        gift = {"name": "G", "code": f"G-{new_id()[-12:]}", "kind": "percentage", "percent_bp": 10_000}
        free = [http.post("/v1/vouchers", json=gift).raise_for_status().json()["code"]]
    orders["with a voucher"] = shop.buy(product, voucher_codes=codes)
    orders["declined with it"] = shop.buy(product, voucher_codes=codes, token="tok_decline")
    other = shop.product()
    orders["free"] = shop.buy(other, voucher_codes=free)
    orders["free and returned"] = shop.buy(other, voucher_codes=free)
    for order_id in orders.values():
        shop.settled(order_id)
    shop.http.post(f"/v1/orders/{orders['cancelled']}/cancellation", json={}).raise_for_status()
    return_one_unit(shop, orders["returned"], product)
    return_one_unit(shop, orders["free and returned"], other, refund_minor=0)
    review_what_arrived(shop, orders["returned"], product)
    set_costs(shop, product)
    list_products(shop)
    end_an_alert(shop)
    fill_a_cart(shop, product)
    registered, erased = People(shop).person(), People(shop).person()
    erased.http.post("/v1/me/erasure", json={"password": PASSWORD}).raise_for_status()
    kafka = KafkaTopics(settings.kafka, quiet)
    with ServiceDatabase(settings.postgres) as service_db:
        assert wait_for_zero_lag(
            lambda: service_db.work_under_way() + total_lag(settings.kafka, TOPICS_BY_GROUP),
            60,
            quiet,
            lambda: None,
        )
    shop.kill()  # from now on only the tests change the tables
    emptied(settings)
    with SchemaRegistry(settings.registry) as registry, connect(settings, admin=True) as client:
        log = EventLog(kafka, Decoder(registry.schema))
        for name in all_events():
            events = log.contents(name).events
            if events.num_rows:
                client.insert_arrow(name, events)
        shopper_ids = registered.shopper_id, erased.shopper_id
        yield Audited(settings, shop, product, orders, shopper_ids, client)


def return_one_unit(shop: Shop, order_id: str, product: str, refund_minor: int = 1_000) -> None:
    """Return one unit, which can be sold again, by two events of the same return."""
    parcel = {"order_id": order_id, "shipment_id": new_id(), "seller_id": "seller-1"}
    shop.tell("order_shipped", **parcel)
    line = {"line_number": 1, "product_id": product, "quantity": 1, "restocked": True}
    back = {
        "return_id": new_id(), "order_id": order_id, "shopper_id": "ana", "seller_id": "seller-1",
        "reason": "damaged", "placed_at": system_clock(), "currency": "BRL",
        "lines": [line | {"refund_minor": refund_minor}],
    }  # fmt: skip
    shop.tell("order_returned", **back)
    shop.tell("order_returned", **back)


def review_what_arrived(shop: Shop, order_id: str, product: str) -> None:
    """Write reviews of an order: one of the shop, anew and with replies, and those of another producer."""
    parcel = {"order_id": order_id, "shipment_id": new_id(), "seller_id": "seller-1"}
    shop.tell("order_delivered", **parcel)
    body = {"order_id": order_id, "line_number": 1, "shopper_id": "ana", "score": 4}

    def submitted() -> dict[str, Any] | None:
        found = shop.http.post("/v1/reviews", json=body)
        return found.json() if found.is_success else None

    review_id = await_true(submitted)["review_id"]
    reply = f"/v1/sellers/seller-1/published_reviews/{review_id}/reply"
    with shop.as_principal(admin()) as http:
        http.put(reply, json={"text": "Thanks"}).raise_for_status()
        shop.http.put(f"/v1/reviews/{review_id}", json={"score": 2}).raise_for_status()
        http.put(reply, json={"text": "We are sorry"}).raise_for_status()
        http.put(reply, json={"text": "We send a new one"}).raise_for_status()
    sent = {"order_id": order_id, "shopper_id": "ana", "seller_id": "seller-1", "product_id": product}
    for name in ("shown", "hidden", "gone"):
        shop.tell("review_submitted", review_id=name, score=5, **sent)
    subject = {"order_id": order_id, "shopper_id": "ana"}
    shop.tell("review_rejected", review_id="hidden", reason="spam", **subject)
    shop.tell("review_withdrawn", review_id="gone", score=5, **subject)


def fill_a_cart(shop: Shop, product: str) -> None:
    """Put units of a product into a cart, save them for later, put them back, and remove one."""
    whose = {"shopper_id": f"guest-{new_id()}"}
    shop.await_row("SELECT FROM carts.offers WHERE product_id = $1", product)
    added = {"product_id": product, "quantity": 3, **whose}
    shop.http.post("/v1/cart/lines", json=added).raise_for_status()
    for step in ({"is_saved": True}, {"is_saved": False}, {"quantity": 2}):
        shop.http.put(f"/v1/cart/lines/{product}", json={**step, **whose}).raise_for_status()


def list_products(shop: Shop) -> None:
    """List two products here, change one, take the other off, and leave a draft."""
    shop.await_row("SELECT FROM products.categories WHERE category_id = 'Lamps'")
    body = {"name": "Lamp", "category": "Lamps", "attributes": {"colour": "blue"}, "price_minor": 700}
    with shop.as_principal(admin()) as http:
        listings = "/v1/sellers/seller-1/listings"
        kept, off = (http.post(listings, json=body).raise_for_status().json()[0] for _ in range(2))
        http.put(f"{listings}/{kept['product_id']}", json={**body, "handling_days": 3}).raise_for_status()
        http.delete(f"{listings}/{off['product_id']}").raise_for_status()
        http.post(listings, json={**body, "status": "draft"}).raise_for_status()


def set_costs(shop: Shop, product: str) -> None:
    """Set three costs of a product, correct one and remove one."""
    shop.knows_that("seller-1", approved=True)
    first = {"2026-01-01": 500, "2026-02-01": 700, "2026-03-01": 900}
    for costs in (first, {"2026-01-01": 510, "2026-03-01": None}):
        body = [
            {"product_id": product, "unit_cost_minor": cost, "currency": "BRL", "valid_from": day}
            for day, cost in costs.items()
        ]
        shop.as_principal(admin()).put("/v1/sellers/seller-1/costs", json=body).raise_for_status()


@pytest.fixture
def changed(audited: Audited) -> Iterator[Callable[[str, str], None]]:
    """A function that runs a statement, and a second one at the end of the test, which reverts the first."""
    undo = []

    def change(statement: str, undoing: str) -> None:
        audited.shop.sql(statement)
        undo.append(undoing)

    yield change
    for statement in undo:
        audited.shop.sql(statement)


@contextmanager
def other_facts(audited: Audited, table: str, query: str) -> Iterator[None]:
    """Replace the facts in a table by the result of a query for a `with` block."""
    audited.clickhouse.command(f"CREATE TABLE other_{table} AS {table}")
    audited.clickhouse.command(f"INSERT INTO other_{table} {query}")
    exchange = f"EXCHANGE TABLES {table} AND other_{table}"
    audited.clickhouse.command(exchange)
    try:
        yield
    finally:
        audited.clickhouse.command(exchange)
        audited.clickhouse.command(f"DROP TABLE other_{table}")


@contextmanager
def without(audited: Audited, table: str, order_id: str) -> Iterator[None]:
    """Remove the facts about one order from a table for a `with` block."""
    query = f"SELECT * FROM {table} WHERE ifNull(order_id, '') != '{order_id}'"
    with other_facts(audited, table, query):
        yield


@pytest.mark.parametrize("name", OF_SERVICES)
def test_services_and_facts_agree_about_orders_of_every_outcome(audited: Audited, name: str) -> None:
    found = audited.before(name)
    assert audited.own_differences(found) == set()
    assert found.rows


def test_every_comparison_of_the_services_is_tested_here() -> None:
    others = ("source_", "facts_", "aggregates_", "kafka_", "dead_")
    assert {name for name in COMPARISONS if not name.startswith(others)} == set(OF_SERVICES)


@pytest.mark.parametrize(
    ("name", "table", "outcome"),
    [
        ("service_db_vs_orders", "order_placed", "sold out"),
        ("service_db_vs_orders", "payment_refunded", "returned"),
        ("service_db_vs_order_lines", "order_placed", "confirmed"),
        ("service_db_vs_order_steps", "order_cancelled", "declined"),
        ("service_db_vs_order_steps", "order_shipped", "returned"),
        ("service_db_vs_order_outcomes", "payment_failed", "declined"),
        ("service_db_vs_order_outcomes", "order_cancelled", "sold out"),
        ("service_db_vs_stock", "stock_changed", "returned"),
        ("service_db_vs_reservations", "stock_released", "cancelled"),
        ("service_db_vs_reservations", "stock_refused", "sold out"),
        ("service_db_vs_payments", "payment_captured", "confirmed"),
        ("service_db_vs_payments", "payment_failed", "declined"),
        ("service_db_vs_refunds", "payment_refunded", "cancelled"),
        ("service_db_vs_confirmations", "order_confirmed", "confirmed"),
        ("service_db_vs_cancellations", "order_cancelled", "cancelled"),
        ("returns_vs_reservations", "order_returned", "returned"),
        ("returns_vs_orders", "order_returned", "returned"),
        ("returns_vs_refunds", "order_returned", "returned"),
        *(
            ("service_db_vs_reviews", f"review_{step}", "returned")
            for step in ("submitted", "published", "rejected", "withdrawn", "answered")
        ),
    ],
)
def test_a_fact_that_is_missing_is_found(audited: Audited, name: str, table: str, outcome: str) -> None:
    with without(audited, table, audited.orders[outcome]):
        (found,) = audited.ask(name)
    assert found.difference_count > audited.before(name).difference_count


@contextmanager
def replaced(audited: Audited, table: str, values: str) -> Iterator[None]:
    """Replace columns (`1 AS column, …`) of all facts of a table for a `with` block."""
    with other_facts(audited, table, f"SELECT * REPLACE ({values}) FROM {table}"):
        yield


EARLIER_CONFIRMATION = "NULL AS placed_at, NULL AS currency, [] AS lines"
"""What facts from before these fields have."""


def test_events_from_before_their_new_fields_are_no_differences(audited: Audited) -> None:
    with (
        replaced(audited, "order_confirmed", EARLIER_CONFIRMATION),
        replaced(audited, "order_cancelled", "NULL AS confirmed_at"),
    ):
        assert audited.differences("service_db_vs_confirmations") == set()
        assert audited.differences("service_db_vs_cancellations") == set()


@pytest.mark.parametrize(
    ("name", "table", "values", "fields"),
    [
        ("service_db_vs_confirmations", "order_confirmed", "[] AS lines", {"lines"}),
        ("service_db_vs_confirmations", "order_confirmed", "occurred_at AS placed_at", {"placed_at"}),
        ("service_db_vs_confirmations", "order_confirmed", "'EUR' AS currency", {"currency"}),
        ("service_db_vs_cancellations", "order_cancelled", "NULL AS confirmed_at", {"confirmed_at"}),
        ("service_db_vs_cancellations", "order_cancelled", "[] AS lines", {"lines"}),
        (
            "service_db_vs_refunds",
            "payment_refunded",
            "NULL AS seller_id, NULL AS placed_at, [] AS lines",
            {"seller_id", "placed_at", "lines"},
        ),
        ("service_db_vs_reviews", "review_submitted", "6 - score AS score", {"score"}),
        ("service_db_vs_reviews", "review_submitted", "NULL AS product_id", {"product_id"}),
        ("service_db_vs_reviews", "review_answered", "'No' AS text", {"reply"}),
        ("service_db_vs_carts", "cart_changed", "quantity + 1 AS quantity", {"quantity"}),
        ("service_db_vs_carts", "cart_changed", "'seller-2' AS seller_id", {"seller_id"}),
        ("service_db_vs_products", "product_listed", "price_minor + 1 AS price_minor", {"price_minor"}),
        ("service_db_vs_products", "product_changed", "map('colour', 'red') AS attributes", {"attributes"}),
        ("service_db_vs_products", "product_changed", "NULL AS handling_days", {"handling_days"}),
        (
            "service_db_vs_products",
            "product_delisted",
            "occurred_at - INTERVAL 1 DAY AS occurred_at",
            {"row"},
        ),
    ],
)
def test_a_wrong_field_of_an_event_is_found(
    audited: Audited, name: str, table: str, values: str, fields: set[str]
) -> None:
    with replaced(audited, table, values):
        (found,) = audited.ask(name)
    unequal = {difference.field for difference in found.differences}
    assert unequal - {difference.field for difference in audited.before(name).differences} == fields


@pytest.mark.parametrize(
    ("table", "field"), [("shopper_registered", "registered_at"), ("shopper_erased", "erased_at")]
)
def test_a_wrong_time_of_a_person_is_found(audited: Audited, table: str, field: str) -> None:
    with replaced(audited, table, "occurred_at + 1 AS occurred_at"):
        found = audited.differences("service_db_vs_shoppers")
    assert {name for name, _, _ in found} == {field}


def test_a_processed_event_that_does_not_exist_is_found(audited: Audited) -> None:
    with without(audited, "order_placed", audited.orders["confirmed"]):
        (found,) = audited.ask("inbox_vs_facts")
    before = audited.before("inbox_vs_facts")
    assert found.difference_count - before.difference_count == 3  # inventory's, payments' and carts'


@pytest.mark.parametrize(
    ("name", "change", "back", "difference"),
    [
        (
            "copies_of_listings",
            "UPDATE sellers.listings SET listed = NOT listed WHERE product_id = '{product}'",
            "UPDATE sellers.listings SET listed = NOT listed WHERE product_id = '{product}'",
            ("listed", True, False),
        ),
        (
            "copies_of_offers",
            "UPDATE carts.offers SET price_minor = 999 WHERE product_id = '{product}'",
            "UPDATE carts.offers SET price_minor = 1000 WHERE product_id = '{product}'",
            ("price_minor", 1_000, 999),
        ),
        (
            "copies_of_commission_rules",
            "UPDATE orders.commission_rules SET rate_bp = 1001 WHERE position = 1",
            "UPDATE orders.commission_rules SET rate_bp = 1000 WHERE position = 1",
            ("rate_bp", 1_000, 1_001),
        ),
        (
            "copies_of_seller_status",
            "UPDATE alerts.seller_status SET approved = false WHERE seller_id = 'seller-1'",
            "UPDATE alerts.seller_status SET approved = true WHERE seller_id = 'seller-1'",
            ("approved", True, False),
        ),
    ],
)
def test_a_wrong_copy_is_found(
    audited: Audited, changed: Callable[..., None], name: str, change: str, back: str, difference: object
) -> None:
    changed(*(each.format(product=audited.product) for each in (change, back)))
    (found,) = audited.ask(name)
    assert [(each.field, each.left, each.right) for each in found.differences] == [difference]


def test_a_wrong_copy_of_stock_is_found(audited: Audited, changed: Callable[..., None]) -> None:
    update = f"WHERE product_id = '{audited.product}'"
    changed(
        f"UPDATE carts.stock SET available = available + 1 {update}",
        f"UPDATE carts.stock SET available = available - 1 {update}",
    )
    ((field, expected, actual),) = audited.differences("copies_of_stock")
    assert (field, actual - expected) == ("available", 1)


def test_a_cart_that_is_not_as_its_events_say_is_found(
    audited: Audited, changed: Callable[..., None]
) -> None:
    update = f"WHERE product_id = '{audited.product}'"
    changed(f"UPDATE carts.lines SET quantity = 5 {update}", f"UPDATE carts.lines SET quantity = 2 {update}")
    assert audited.differences("service_db_vs_carts") == {("quantity", 5, 2)}


def test_a_cent_of_a_payment_is_found_from_three_sides(
    audited: Audited, changed: Callable[..., None]
) -> None:
    order = f"WHERE order_id = '{audited.orders['confirmed']}'"
    update = "UPDATE payments.payments SET amount_minor = amount_minor"
    changed(f"{update} + 1 {order}", f"{update} - 1 {order}")
    assert audited.differences("orders_vs_payments") == {("kept_minor", 2_000, 2_001)}
    assert ("amount_minor", 2_001, 2_000) in {
        (each.field, each.left, each.right) for each in audited.ask("service_db_vs_payments")[0].differences
    }
    assert ("captured_minor", 2_001, 2_000) in {
        (each.field, each.left, each.right) for each in audited.ask("payments_vs_provider")[0].differences
    }


def test_a_cent_that_an_order_says_came_back_is_found(audited: Audited, changed: Callable[..., None]) -> None:
    order = f"WHERE order_id = '{audited.orders['returned']}'"
    update = "UPDATE orders.orders SET refunded_minor ="
    changed(f"{update} 1001 {order}", f"{update} 1000 {order}")
    assert audited.differences("service_db_vs_orders") == {("refunded_minor", 1_001, 1_000)}


@pytest.mark.parametrize(
    ("change", "undo", "found"),
    [
        (
            "status = 'published'",
            "status = 'withdrawn'",
            {("status", "published", "withdrawn"), ("counted", 1, 0)},
        ),
        ("score = 1", "score = 5", {("score", 1, 5)}),
        ("line_number = 7", "line_number = NULL", {("line_number", 7, 0)}),
        ("reply = 'So?', replied_at = now()", "reply = NULL, replied_at = NULL", {("reply", "So?", "")}),
    ],
)
def test_a_review_that_is_not_as_its_events_say_is_found(
    audited: Audited, changed: Callable[..., None], change: str, undo: str, found: set[tuple[str, Any, Any]]
) -> None:
    review = f"WHERE source_id = 'gone' AND order_id = '{audited.orders['returned']}'"
    changed(f"UPDATE reviews.reviews SET {change} {review}", f"UPDATE reviews.reviews SET {undo} {review}")
    assert audited.differences("service_db_vs_reviews") == found


def test_a_use_of_a_voucher_that_was_not_given_back_is_found(
    audited: Audited, changed: Callable[..., None]
) -> None:
    use = "UPDATE orders.voucher_uses SET given_back_at = {} WHERE order_id = '{}'"
    kept, given_back = audited.orders["with a voucher"], audited.orders["declined with it"]
    changed(use.format("NULL", given_back), use.format("now()", given_back))
    changed(use.format("now()", kept), use.format("NULL", kept))
    (found,) = audited.ask("service_db_vs_voucher_uses")
    assert {each.key["order_id"] for each in found.differences} == {kept, given_back}


def test_a_line_with_another_part_of_the_marketplace_is_found(
    audited: Audited, changed: Callable[..., None]
) -> None:
    line = f"WHERE order_id = '{audited.orders['with a voucher']}'"
    update = "UPDATE orders.order_lines SET marketplace_minor ="
    changed(f"{update} 300 {line}", f"{update} 301 {line}")
    assert audited.differences("service_db_vs_order_lines") == {("marketplace_minor", 300, 301)}


@pytest.mark.parametrize(
    ("column", "wrong", "right", "outcome"),
    [
        ("payment_status", "refunded", "captured", "confirmed"),
        ("payment_method", "boleto", "credit_card", "confirmed"),
        ("cancellation_reason", "timed_out", "payment_failed", "declined"),
    ],
)
def test_a_wrong_outcome_of_an_order_is_found(
    audited: Audited, changed: Callable[..., None], column: str, wrong: str, right: str, outcome: str
) -> None:
    order = f"WHERE order_id = '{audited.orders[outcome]}'"
    update = f"UPDATE orders.orders SET {column} ="
    changed(f"{update} '{wrong}' {order}", f"{update} '{right}' {order}")
    assert audited.differences("service_db_vs_order_outcomes") == {(column, wrong, right)}


@pytest.mark.parametrize(
    ("change", "undo", "found"),
    [
        ("registered_at + interval '1 hour'", "registered_at - interval '1 hour'", {"registered_at"}),
        ("registered_at, name = 'Bia'", "registered_at, name = 'Ana'", {"name"}),
        ("NULL, status = 'applied'", "created_at, status = 'approved'", {"row"}),
    ],
)
def test_a_seller_who_is_not_as_they_registered_is_found(
    audited: Audited, changed: Callable[..., None], change: str, undo: str, found: set[str]
) -> None:
    def different() -> set[tuple[str, str]]:
        (result,) = audited.ask("service_db_vs_sellers")
        return {(each.key["seller_id"], each.field) for each in result.differences}

    before = different()  # tests of other files leave sellers whose events are not facts here
    update, seller = "UPDATE sellers.sellers SET registered_at =", "WHERE seller_id = 'seller-1'"
    changed(f"{update} {change} {seller}", f"{update} {undo} {seller}")
    assert different() - before == {("seller-1", name) for name in found}


def test_a_cost_that_was_corrected_without_an_event_is_found(audited: Audited) -> None:
    assert audited.differences("service_db_vs_costs") == set()
    with other_facts(audited, "product_cost_set", "SELECT * FROM product_cost_set WHERE version = 1"):
        found = audited.differences("service_db_vs_costs")
    assert found == {("removed", 1, 0), ("unit_costs_minor", 1_210, 2_100), ("changes", 5, 3)}


def test_an_alert_that_was_not_reported_is_found(audited: Audited, changed: Callable[..., None]) -> None:
    alert_id = new_id()
    changed(
        "INSERT INTO alerts.alert_steps (alert_id, status, occurred_at, seller_id, rule_id) "
        f"VALUES ('{alert_id}', 'firing', now(), 'seller-1', '{new_id()}')",
        f"DELETE FROM alerts.alert_steps WHERE alert_id = '{alert_id}'",
    )
    (result,) = audited.ask("service_db_vs_alerts")
    assert [(each.key["alert_id"], each.field) for each in result.differences] == [(alert_id, "row")]


def test_a_unit_that_vanished_is_found(audited: Audited, changed: Callable[..., None]) -> None:
    stock = f"WHERE product_id = '{audited.product}'"
    update = "UPDATE inventory.stock SET on_hand ="
    changed(f"{update} 13 {stock}", f"{update} 14 {stock}")
    assert audited.differences("service_db_vs_stock") == {("on_hand", 13, 14), ("changed_by", 13, 14)}


@pytest.mark.parametrize(
    ("name", "table", "was", "wrong", "difference"),
    [
        ("returns_vs_reservations", LINES, "returned = 1", "returned = 0", ("row", 1, 0)),
        ("returns_vs_reservations", LINES, "returned = 1", "returned = 2", ("units_back", 1, 2)),
        ("returns_vs_orders", ORDERED, "returned = 1", "returned = 2", ("units_back", 1, 2)),
        (
            "returns_vs_orders",
            ORDERED,
            "returned_minor = 1000",
            "returned_minor = 0",
            ("refund_minor", 1_000, 0),
        ),
        (
            "returns_vs_refunds",
            REFUNDS,
            "amount_minor = 1000",
            "amount_minor = 1",
            ("refund_minor", 1_000, 1),
        ),
        (
            "returns_vs_refunds",
            REFUNDS,
            "reason = 'order_returned'",
            "reason = 'order_cancelled'",
            ("row", 1, 0),
        ),
    ],
)
def test_a_return_that_was_lost_or_counted_wrongly_is_found(
    audited: Audited,
    changed: Callable[..., None],
    name: str,
    table: str,
    was: str,
    wrong: str,
    difference: tuple[str, int, int],
) -> None:
    order = f"WHERE order_id = '{audited.orders['returned']}'"
    changed(f"UPDATE {table} SET {wrong} {order}", f"UPDATE {table} SET {was} {order}")
    assert difference in audited.differences(name)


@pytest.mark.parametrize("name", ["returns_vs_reservations", "returns_vs_orders", "returns_vs_refunds"])
def test_a_rejected_return_is_explained_by_its_dead_letter(audited: Audited, name: str) -> None:
    found = audited.before(name)
    assert found.explained
    assert audited.own_differences(found) == set()


def test_a_confirmed_order_whose_units_were_released_is_found(
    audited: Audited, changed: Callable[..., None]
) -> None:
    order = f"WHERE order_id = '{audited.orders['confirmed']}'"
    update = "UPDATE inventory.reservations SET state ="
    changed(f"{update} 'released' {order}", f"{update} 'sold' {order}")
    assert audited.differences("orders_vs_reservations") == {("units_are", "sold", "free"), ("units", 2, 0)}


def test_a_refund_that_waits_for_the_provider_is_under_way(
    audited: Audited, changed: Callable[..., None]
) -> None:
    with ServiceDatabase(audited.settings.postgres) as service_db:
        before = service_db.work_under_way()
        order = f"WHERE order_id = '{audited.orders['cancelled']}'"
        update = "UPDATE payments.refunds SET try_at ="
        changed(f"{update} '2999-01-01' {order}", f"{update} NULL {order}")
        assert service_db.work_under_way() == before + 1


def test_without_service_tables_no_work_is_under_way(audited: Audited) -> None:
    elsewhere = audited.settings.postgres.rpartition("/")[0] + "/postgres"
    with ServiceDatabase(elsewhere) as service_db:
        assert not service_db.exists()
        assert service_db.work_under_way() == 0


def test_an_event_that_never_left_its_outbox_is_found(audited: Audited) -> None:
    audited.shop.sql("INSERT INTO orders.outbox (topic, headers) VALUES ('order_placed', '{}')")
    (found,) = audited.ask("outboxes")
    assert [(each.key, each.left, each.right) for each in found.differences] == [
        ({"service": "orders"}, 0, 1)
    ]
    audited.shop.sql("DELETE FROM orders.outbox")
