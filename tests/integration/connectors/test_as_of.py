"""The `as_of` of figures, from job `facts` with a real Flink, Kafka and ClickHouse."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from confluent_kafka import Producer

from clickhouse.client import connect
from clickhouse.migrate import migrate
from common.settings import Settings
from jobs.engine import statement_set, table_environment
from jobs.facts import logic as facts
from jobs.facts.logic import METRIC_EVENTS
from schemas.codec import Encoder
from schemas.events import all_events
from schemas.setup import register

NOON = datetime(2018, 3, 1, 12, tzinfo=UTC)
FIGURES = (
    "seller_sales_minute",
    "marketplace_sales_minute",
    "payments_minute",
    "order_lines",
    "order_state",
)
LIMITED_BY_PAYMENTS = ("seller_sales_minute", "marketplace_sales_minute", "payments_minute")


def order(number: int) -> dict[str, Any]:
    return {
        "event_id": f"e{number}", "occurred_at": NOON + timedelta(minutes=number), "order_id": f"o{number}",
        "shopper_id": "s", "currency": "BRL", "lines": [], "estimated_delivery_at": None,
    }  # fmt: skip


def start(settings: Settings, flink: Any) -> dict[str, int]:
    """Run the facts that feed `FIGURES`, and the reports of the relays; returns the schema ids."""
    ids = register(settings).schema_ids
    migrate(settings)
    real = facts.plan(settings)
    tables = (*METRIC_EVENTS, "pipeline_progress")
    plan = replace(real, outputs=tuple(output for output in real.outputs if output.table in tables))
    statements = statement_set(table_environment({**flink.DEFAULTS, **plan.config}), plan)
    flink.running.append(statements.execute())
    return ids


def report(producer: Producer, **complete_until: datetime) -> None:
    """Send the reports of the services' outbox relays."""
    for service, moment in complete_until.items():
        value = {"service": service, "complete_until": int(moment.timestamp() * 1000)}
        producer.produce("outbox_progress", json.dumps(value), key=service)


def watermarks(settings: Settings) -> dict[str, datetime]:
    """Table → `as_of`."""
    with connect(settings, admin=True) as client:
        rows = client.query(
            "SELECT table_name, fromUnixTimestamp64Milli(as_of_ms, 'UTC') FROM souk.q_as_of"
        ).result_rows
    return {table: watermark.replace(tzinfo=UTC) for table, watermark in rows}


@pytest.mark.nightly
@pytest.mark.usefixtures("kafka", "registry", "clickhouse")
def test_a_relay_without_new_reports_limits_as_of_of_its_tables(
    settings: Settings, flink: Any, wait_until: Any
) -> None:
    encoder = Encoder(all_events()["order_placed"], start(settings, flink)["order_placed"])
    producer = Producer({"bootstrap.servers": settings.kafka})
    last_report = NOON + timedelta(minutes=5)
    minutes = count(1)

    def send_orders_but_no_payments() -> dict[str, datetime]:
        minute = next(minutes)
        now = NOON + timedelta(minutes=minute)
        producer.produce("order_placed", encoder.encode(order(minute)), key=f"o{minute}")
        report(producer, orders=now, payments=min(now, last_report))
        producer.flush()
        return watermarks(settings)

    def orders_are_ahead(of: datetime) -> dict[str, datetime] | None:
        reached = send_orders_but_no_payments()
        is_limited = all(reached.get(table) == last_report for table in LIMITED_BY_PAYMENTS)
        return reached if is_limited and reached.get("order_lines", NOON) > of else None

    reached = wait_until(lambda: orders_are_ahead(last_report))
    reached = wait_until(lambda: orders_are_ahead(reached["order_lines"]))
    assert "outbox.payments" not in reached


@pytest.mark.usefixtures("kafka", "registry", "clickhouse")
def test_orders_advance_the_watermark_of_tables_whose_other_topics_have_no_events(
    settings: Settings, flink: Any, wait_until: Any
) -> None:
    ids = start(settings, flink)
    producer = Producer({"bootstrap.servers": settings.kafka})
    encoder = Encoder(all_events()["order_placed"], ids["order_placed"])
    numbers = count(100_000)

    def lowest() -> datetime:
        number = next(numbers)
        event = order(number)
        producer.produce("order_placed", encoder.encode(event), key=f"o{number}")
        report(producer, orders=event["occurred_at"], payments=event["occurred_at"])
        producer.flush()
        reached = watermarks(settings)
        return min(reached.get(table, NOON) for table in FIGURES)

    def all_beyond(moment: datetime) -> datetime | None:
        reached = lowest()
        return reached if reached > moment else None

    first = wait_until(lambda: all_beyond(NOON))
    assert wait_until(lambda: all_beyond(first)) > first
