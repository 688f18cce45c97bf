"""As whom visitors of the demo look around the shop."""

from datetime import UTC, datetime, timedelta

from clickhouse.client import connect
from common.ids import new_id
from common.settings import Settings
from tests.integration.event_rows import insert_events

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_the_demo_s_shopper_is_a_registered_one_and_never_a_guest(empty_database: Settings) -> None:
    orders = {"guest": 5, "erased": 4, "ann": 2, "bea": 1}
    placed = [
        {"event_id": new_id(), "occurred_at": NOW, "order_id": new_id(), "shopper_id": shopper}
        for shopper, count in orders.items()
        for _ in range(count)
    ]
    later = {"event_id": new_id(), "occurred_at": NOW + timedelta(days=3), "order_id": new_id()}
    people = [
        {"event_id": new_id(), "occurred_at": NOW, "shopper_id": shopper}
        for shopper in ("erased", "ann", "bea")
    ]
    insert_events(
        empty_database,
        {
            "order_placed": [*placed, {**later, "shopper_id": "guest"}],
            "shopper_registered": people,
            "shopper_erased": [{"event_id": new_id(), "occurred_at": NOW, "shopper_id": "erased"}],
        },
    )

    with connect(empty_database) as analyst:
        found = analyst.query("SELECT shopper_id FROM q_busiest_shopper").result_rows

    assert found == [("ann",)]
