"""`./souk logs --order ID` prints what could be read of an order, and names the parts that do not answer."""

import json
import sys

import pytest

from cli.__main__ import main
from common.ids import new_id
from common.settings import Settings
from local.logs import order_events
from local.logs.order_events import FoundEvents, find_order_events
from local.state_directory import StateDirectory
from tests.integration.serving.conftest import put
from tests.ports import free_offset

COLUMNS = ("event_id", "occurred_at", "ingested_at", "order_id")
AT, STORED_AT = "2026-11-24 03:04:05.000", "2026-11-24 03:04:06.500"


@pytest.fixture
def order_id() -> str:
    return new_id()


@pytest.fixture
def shop(empty_database: Settings, order_id: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A shop without Kafka and PostgreSQL. ClickHouse has stored two events of the order."""
    monkeypatch.setattr(order_events, "_TIMEOUT_S", 1.0)
    for table in ("order_placed", "order_confirmed"):
        put(empty_database, table, COLUMNS, [[new_id(), AT, STORED_AT, order_id]])
    away = {"port_offset": free_offset(), "clickhouse_url": empty_database.clickhouse}
    return empty_database.model_copy(update=away)


def parts_missing(found: FoundEvents) -> list[str]:
    return [failure.split()[0] for failure in found.failures]


def test_events_in_clickhouse_are_found_while_kafka_is_away(shop: Settings, order_id: str) -> None:
    found = find_order_events(shop, order_id)

    assert [event.name for event in found.events] == ["order_placed", "order_confirmed"]
    assert all(event.stored_at for event in found.events)
    assert parts_missing(found) == ["Kafka"]


def test_later_events_are_found_while_postgresql_is_away(shop: Settings) -> None:
    confirmed = new_id()
    put(shop, "order_confirmed", COLUMNS, [[new_id(), AT, STORED_AT, confirmed]])
    found = find_order_events(shop, confirmed)

    assert [event.name for event in found.events] == ["order_confirmed"]
    assert parts_missing(found) == ["PostgreSQL", "Kafka"]


def test_every_part_that_is_away_is_named(shop: Settings, order_id: str) -> None:
    found = find_order_events(shop.model_copy(update={"clickhouse_url": ""}), order_id)

    assert found.events == []
    assert parts_missing(found) == ["ClickHouse", "PostgreSQL"]


def test_the_command_prints_what_is_known_and_what_is_missing(shop, order_id, tmp_path, monkeypatch, capsys):
    logs = StateDirectory(tmp_path).logs
    logs.mkdir(parents=True)
    line = {"timestamp": "2026-11-24T03:04:05.1Z", "level": "info", "event": "request", "order_id": order_id}
    (logs / "serving.log").write_text(json.dumps(line) + "\n")
    for name, value in {
        "SOUK_HOME": str(tmp_path),
        "SOUK_PORT_OFFSET": str(shop.port_offset),
        "SOUK_CLICKHOUSE_URL": shop.clickhouse,
        "SOUK_CLICKHOUSE_DATABASE": shop.clickhouse_database,
        "SOUK_CLICKHOUSE_ANALYST_PASSWORD": shop.clickhouse_analyst_password.get_secret_value(),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["souk", "logs", "--order", order_id, "--json"])
    assert main() == 0
    printed = capsys.readouterr()

    assert [json.loads(each)["message"] for each in printed.out.splitlines()] == [
        "request",
        "stored order_placed",
        "stored order_confirmed",
    ]
    assert printed.err.startswith("souk: the story is incomplete: Kafka at ")
    assert printed.err.count("\n") == 1
