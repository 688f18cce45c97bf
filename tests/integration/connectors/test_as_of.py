"""How far the tables of job `metrics` say that they reach, in a real Flink with real Kafka and ClickHouse."""

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
from jobs.metrics.logic import plan
from schemas.codec import Encoder
from schemas.events import all_events
from schemas.setup import register

NOON = datetime(2018, 3, 1, 12, tzinfo=UTC)
LISTENING = ("seller_sales_minute", "marketplace_sales_minute", "payments_minute")


def order(number: int) -> dict[str, Any]:
    return {
        "event_id": f"e{number}", "occurred_at": NOON + timedelta(minutes=number), "order_id": f"o{number}",
        "shopper_id": "s", "currency": "BRL", "lines": [], "estimated_delivery_at": None,
    }  # fmt: skip


@pytest.mark.usefixtures("kafka", "registry", "clickhouse")
def test_orders_alone_move_the_progress_of_tables_whose_other_topics_are_silent(
    settings: Settings, flink: Any, wait_until: Any
) -> None:
    ids = register(settings).schema_ids
    migrate(settings)
    real = plan(settings, all_events())
    listening = replace(real, outputs=tuple(output for output in real.outputs if output.table in LISTENING))
    statements = statement_set(table_environment({**flink.DEFAULTS, **listening.config}), listening)
    flink.running.append(statements.execute())
    producer = Producer({"bootstrap.servers": settings.kafka})
    encoder = Encoder(all_events()["order_placed"], ids["order_placed"])

    numbers = count(1)

    def reached() -> list[datetime]:
        number = next(numbers)
        producer.produce("order_placed", encoder.encode(order(number)), key=f"o{number}")
        producer.flush()
        with connect(settings, admin=True) as client:
            rows = client.query("SELECT watermark FROM souk.pipeline_progress FINAL").result_rows
        return [watermark.replace(tzinfo=UTC) for (watermark,) in rows]

    def all_beyond(moment: datetime) -> datetime | None:
        watermarks = reached()
        return min(watermarks) if len(watermarks) == len(LISTENING) and min(watermarks) > moment else None

    first = wait_until(lambda: all_beyond(NOON))
    assert wait_until(lambda: all_beyond(first)) > first
