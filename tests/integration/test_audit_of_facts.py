"""The audit compares the facts of orders with the figures that ClickHouse derives from them."""

from datetime import UTC, datetime

import pytest

from audit.comparison import ComparisonResult
from audit.connect import stores
from audit.run import compare_once
from audit.sources import clickhouse
from audit.sources.busy import StoreBusy
from audit.sources.clickhouse import ClickHouseTables
from audit.sources.facts import FactTables
from clickhouse.client import connect
from common.settings import Settings
from tests.integration.metric_tables import writable

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
SHIPPED = "2026-01-02 03:04:05.678"
DELIVERED = "2026-01-05 03:04:05.678"
COLUMNS = "(event_id, occurred_at, order_id, seller_id)"
FACTS = (
    f"INSERT INTO order_shipped {COLUMNS} VALUES ('s', '{SHIPPED}', 'o1', 'ann')",
    f"INSERT INTO order_delivered {COLUMNS} VALUES ('d', '{DELIVERED}', 'o1', 'ann')",
)
STATE_COLUMNS = "(order_id, status, shipped_at, delivered_at, shipped_by, delivered_by)"


@pytest.mark.parametrize(
    ("shipped_by", "delivered_by", "differences"),
    [
        pytest.param(f"'ann', '{SHIPPED}'", f"'ann', '{DELIVERED}'", [], id="right"),
        pytest.param(
            f"'ann', '{DELIVERED}'",
            f"'ann', '{DELIVERED}'",
            [("shipped_at", SHIPPED, DELIVERED)],
            id="late",
        ),
        pytest.param(f"'ann', '{SHIPPED}'", "", [("delivered_at", DELIVERED, None)], id="lost"),
        pytest.param(
            f"'ann', '{SHIPPED}', 'bob', '{SHIPPED}'",
            f"'ann', '{DELIVERED}'",
            [("row", 0, 1)],
            id="of another seller",
        ),
    ],
)
def test_a_wrong_parcel_of_a_seller_is_found(
    empty_database: Settings,
    shipped_by: str,
    delivered_by: str,
    differences: list[tuple[str, object, object]],
) -> None:
    row = f"('o1', 'delivered', '{SHIPPED}', '{DELIVERED}', map({shipped_by}), map({delivered_by}))"
    table = writable(empty_database, "order_state")
    with connect(empty_database, admin=True) as client:
        for statement in (
            *FACTS,
            f"TRUNCATE TABLE {table}",
            f"INSERT INTO {table} {STATE_COLUMNS} VALUES {row}",
        ):
            client.command(statement)

    found = compared(empty_database, "facts_vs_parcels")

    assert [(each.field, each.left, each.right) for each in found.differences] == differences
    assert found.rows


def test_a_confirmation_with_another_price_than_its_order_is_found(empty_database: Settings) -> None:
    for order, price in (("right", 1000), ("wrong", 999)):
        lines = [[(1, "pen", "ann", 1, each, 0, 0, 0, 0, None, None, None)] for each in (1000, price)]
        with connect(empty_database, admin=True) as client:
            for event, time, about in zip(
                ("placed", "confirmed"), ("occurred_at", "placed_at"), lines, strict=True
            ):
                columns = dict.fromkeys(("occurred_at", time), MOMENT)
                row = {
                    "event_id": f"{event}-{order}",
                    "order_id": order,
                    "currency": "BRL",
                    **columns,
                    "lines": about,
                }
                client.insert(f"order_{event}", [list(row.values())], column_names=list(row))

    found = compared(empty_database, "facts_vs_confirmations")

    assert [(each.field, each.left, each.right) for each in found.differences] == [
        ("unit_price_minor", 1000, 999)
    ]


def test_a_wrong_sum_of_a_roll_up_is_found(empty_database: Settings) -> None:
    with connect(empty_database, admin=True) as client:
        client.command(
            "INSERT INTO order_confirmed (event_id, occurred_at, order_id, placed_at, currency, lines) "
            f"VALUES ('c', '{SHIPPED}', 'o', '{SHIPPED}', 'BRL', "
            "[(1, 'pen', 'ann', 1, 1000, 0, 0, 0, 0, NULL, NULL, NULL)])"
        )
        client.command(
            f"INSERT INTO {writable(empty_database, 'seller_sales_day')} "
            "(seller_id, day, currency, newest_minute, orders) "
            "VALUES ('ann', '2026-01-01', 'BRL', '2026-01-01 12:00:00', 1)"
        )

    found = compared(empty_database, "aggregates_vs_rollups")

    assert [(each.key["period"], each.key["start"], each.field) for each in found.differences] == [
        ("day", "2026-01-01 00:00:00", "row")
    ]
    assert found.rows == 3


@pytest.mark.parametrize(
    ("table", "key", "comparison"),
    [
        ("marketplace_sales_quarter_hour", {"currency": "BRL"}, "aggregates_vs_sales_by_quarter_hour"),
        (
            "payments_quarter_hour",
            {"method": "pix", "currency": "BRL"},
            "aggregates_vs_payments_by_quarter_hour",
        ),
    ],
)
def test_a_quarter_of_an_hour_without_events_is_found(
    empty_database: Settings, table: str, key: dict[str, str], comparison: str
) -> None:
    row = {"quarter_hour": "2026-01-01 12:15:00", **key}
    with connect(empty_database, admin=True) as client:
        values = ", ".join(f"'{value}'" for value in row.values())
        client.command(f"INSERT INTO {writable(empty_database, table)} ({', '.join(row)}) VALUES ({values})")

    found = compared(empty_database, comparison)

    assert [(each.key, each.field) for each in found.differences] == [(row, "row")]


def test_a_signal_of_which_the_facts_know_nothing_is_found(empty_database: Settings) -> None:
    wave = {
        "kind": "cancellation_wave", "subject_kind": "seller", "subject_id": "ann", "sentence": "",
        "first_at": datetime(2026, 1, 2, tzinfo=UTC), "last_at": datetime(2026, 1, 2, 6, tzinfo=UTC),
        "figures": {"cancellations": 2},
    }  # fmt: skip
    lines = [
        (each, name, "ann", 1, 1000, 0, 0, 0, 0, None, None, None) for each, name in ((1, "pen"), (2, "ink"))
    ]
    with connect(empty_database, admin=True) as client:
        for number in range(3):  # a further one is no difference
            columns = dict.fromkeys(("occurred_at", "placed_at", "confirmed_at"), MOMENT)
            row = {"event_id": f"e{number}", "order_id": f"o{number}", "currency": "BRL", "lines": lines}
            client.insert(
                "order_cancelled", [[*columns.values(), *row.values()]], column_names=[*columns, *row]
            )
        for signal_id, seller in (("right", "ann"), ("invented", "bob")):
            row = {"signal_id": signal_id, "seller_id": seller, **wave}
            client.insert("signals", [[*row.values()]], column_names=[*row])

    found = compared(empty_database, "facts_vs_signals")

    assert [(each.key["signal_id"], each.field) for each in found.differences] == [("invented", "row")]
    assert found.rows == 2


def test_facts_that_come_while_an_answer_is_read_are_read_again(empty_database: Settings) -> None:
    shipped: list[int] = []

    with (
        stores(empty_database, None, lambda *_: None) as opened,
        connect(empty_database, admin=True) as client,
    ):
        facts = FactTables(opened.clickhouse, {"order_shipped": ("order_id",)})

        def ship_and_count() -> int:
            if len(shipped) < 2:
                client.command(
                    f"INSERT INTO order_shipped {COLUMNS} VALUES ('{len(shipped)}', '{SHIPPED}', 'o', 'a')"
                )
            shipped.append(opened.clickhouse.facts("order_shipped", ["order_id"]).num_rows)
            return shipped[-1]

        assert facts.beside(["order_shipped"], ship_and_count) == 2
        assert [event["order_id"] for event in facts.events("order_shipped")] == ["o", "o"]

    assert shipped == [1, 2, 2]


def test_of_facts_that_were_read_only_new_ones_and_newer_copies_are_read(empty_database: Settings) -> None:
    def ship(event_id: str, seller_id: str, minutes_ago: int = 0) -> None:
        columns = COLUMNS.replace(")", ", ingested_at)")
        client.command(
            f"INSERT INTO order_shipped {columns} SELECT "
            f"'{event_id}', '{SHIPPED}', 'o', '{seller_id}', now64(3) - INTERVAL {minutes_ago} MINUTE"
        )

    with (
        stores(empty_database, None, lambda *_: None) as opened,
        connect(empty_database, admin=True) as client,
    ):
        facts = FactTables(opened.clickhouse, {"order_shipped": ("seller_id",)})
        ship("e1", "before", 60)
        ship("e2", "before", 1)
        facts.read(["order_shipped"])
        # This would be seen if the whole table were read again.
        client.command(
            "ALTER TABLE order_shipped UPDATE seller_id = 'changed' WHERE event_id = 'e1' "
            "SETTINGS mutations_sync = 2"
        )
        ship("e2", "again")
        ship("e3", "new")
        facts.read_once(["order_shipped"])
        assert len(list(facts.events("order_shipped"))) == 2
        facts.read(["order_shipped"])

    found = sorted((event["event_id"], event["seller_id"]) for event in facts.events("order_shipped"))
    assert found == [("e1", "before"), ("e2", "again"), ("e3", "new")]


def compared(settings: Settings, name: str) -> ComparisonResult:
    with stores(settings, None, lambda *_: None) as opened:
        (found,) = compare_once(name, opened)
    return found


def test_a_query_that_clickhouse_ends_at_its_limit_is_repeated_and_then_names_the_limit(
    empty_database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clickhouse, "_BUSY_WAIT_S", 0.0)
    slow = "SELECT count() FROM numbers(1000000000) WHERE cityHash64(number) = 1"
    with connect(empty_database) as client, pytest.raises(StoreBusy, match="TIMEOUT_EXCEEDED"):
        ClickHouseTables(client).query_sql(f"{slow} SETTINGS max_execution_time = 0.1", {})
