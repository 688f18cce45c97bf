"""Events from before some of their fields existed are sent again with these fields."""

from datetime import UTC, datetime
from typing import Any

import pytest

from audit.sources.events import EventLog
from audit.sources.kafka import KafkaTopics
from clickhouse.client import connect
from common.settings import Settings
from local.event_upgrade import complete_old_events
from schemas.codec import Decoder
from schemas.registry import SchemaRegistry
from schemas.setup import register
from tests.integration.conftest import Kafka

pytestmark = pytest.mark.nightly

MOMENT = datetime(2018, 3, 1, 12, 0, 30, 5000, tzinfo=UTC)
LINE = {
    "line_number": 1, "product_id": "pen", "seller_id": "ann", "quantity": 2, "unit_price_minor": 1000,
    "discount_minor": 0, "shipping_minor": 150, "tax_minor": 0, "commission_bp": 1000,
    "marketplace_minor": None, "line_voucher_id": None, "order_voucher_id": None,
}  # fmt: skip
BACK = {"line_number": 1, "product_id": "pen", "quantity": 1, "refund_minor": 900}


@pytest.fixture
def shop(settings: Settings, empty_database: Settings, kafka: Kafka) -> Settings:  # noqa: ARG001 (started)
    """A shop with facts from before the fields."""
    shop = settings.model_copy(
        update={
            "clickhouse_url": empty_database.clickhouse,
            "clickhouse_admin_password": empty_database.clickhouse_admin_password,
            "clickhouse_analyst_password": empty_database.clickhouse_analyst_password,
            "clickhouse_database": empty_database.clickhouse_database,
        }
    )
    register(shop)
    lines = [tuple(LINE.values())]
    back = [(*BACK.values(), True)]
    add(shop, "order_placed", order_id="o", shopper_id="bea", currency="BRL", lines=lines)
    add(shop, "order_confirmed", order_id="o", shopper_id="bea")
    add(shop, "order_confirmed", order_id="lost", shopper_id="bea")  # its order is not in the facts
    gone = {"shopper_id": "bea", "currency": "BRL", "placed_at": MOMENT, "reason": "unknown"}
    add(shop, "order_cancelled", order_id="o", lines=lines, **gone)
    add(shop, "order_cancelled", order_id="unpaid", **gone)
    refund = {"order_id": "o", "currency": "BRL", "amount_minor": 900, "reason": "order_returned"}
    add(shop, "payment_refunded", refund_id="f", return_id="r", **refund)
    add(shop, "payment_refunded", refund_id="g", **{**refund, "reason": "goodwill"})
    add(shop, "order_returned", order_id="o", return_id="r", seller_id="ann", placed_at=MOMENT, lines=back)
    return shop


def add(shop: Settings, event: str, **fields: Any) -> None:
    about = fields.get("refund_id") or fields["order_id"]
    row = {"event_id": f"{event}-{about}", "occurred_at": MOMENT, **fields}
    with connect(shop, admin=True) as client:
        client.insert(event, [list(row.values())], column_names=list(row))


def sent(shop: Settings, event: str) -> dict[str, dict[str, Any]]:
    """Event id → the event, of all events of this shop in the topic."""
    with SchemaRegistry(shop.registry) as registry:
        log = EventLog(KafkaTopics(shop.kafka, lambda *_: None), Decoder(registry.schema))
        events: list[dict[str, Any]] = log.contents(event).events.to_pylist()
    return {record["event_id"]: record for record in events if record["event_id"].startswith(event)}


@pytest.mark.usefixtures("registry")
def test_old_events_are_sent_again_with_what_is_known_of_their_orders(shop: Settings) -> None:
    assert complete_old_events(shop) == 3

    confirmed = sent(shop, "order_confirmed")
    assert set(confirmed) == {"order_confirmed-o"}
    assert confirmed["order_confirmed-o"] == {
        "event_id": "order_confirmed-o", "occurred_at": MOMENT, "order_id": "o", "shopper_id": "bea",
        "placed_at": MOMENT, "currency": "BRL", "lines": [LINE],
    }  # fmt: skip
    cancelled = sent(shop, "order_cancelled")
    assert {name: record["confirmed_at"] for name, record in cancelled.items()} == {
        "order_cancelled-o": MOMENT
    }
    with connect(shop) as reader:
        sales = reader.query("SELECT orders, units, cancelled_units, returned_minor FROM seller_sales_minute")
    assert sales.result_rows == [(1, 2, 2, 900)]
    refunded = sent(shop, "payment_refunded")
    assert {
        name: (each["seller_id"], each["placed_at"], each["lines"]) for name, each in refunded.items()
    } == {"payment_refunded-f": ("ann", MOMENT, [BACK | {"marketplace_minor": None}])}


@pytest.mark.usefixtures("registry")
def test_nothing_is_sent_where_every_confirmation_has_its_fields(shop: Settings) -> None:
    complete = {"placed_at": MOMENT, "currency": "BRL", "lines": [tuple(LINE.values())], "shopper_id": "bea"}
    for order in ("o", "lost"):
        add(shop, "order_confirmed", order_id=order, **complete)

    assert complete_old_events(shop) == 0
