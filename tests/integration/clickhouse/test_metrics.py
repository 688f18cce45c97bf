"""The metrics that ClickHouse derives from facts: their rows, and their versions."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from cli import metrics as command
from clickhouse.client import connect
from clickhouse.metrics.definition import MetricDefinition, read_definitions
from clickhouse.metrics.versions import FigureDifference, MetricVersions
from common.errors import UserError
from common.settings import Settings

NOON = datetime(2018, 3, 1, 12, 0, 30, tzinfo=UTC)
LINES, STATE = (read_definitions()[name] for name in ("order_lines", "order_state"))


@pytest.fixture
def client(database_without_metrics: Settings) -> Iterator[Client]:
    """The administrator of a database without facts that has the two metrics of orders."""
    with connect(database_without_metrics, admin=True) as client:
        MetricVersions(client).install([LINES, STATE])
        yield client


def line(number: int, product: str, seller: str, quantity: int = 1, price: int = 1000) -> tuple[Any, ...]:
    return (number, product, seller, quantity, price, 0, 150, 0, 1000, None, None, None)


def add(client: Client, event: str, moment: datetime = NOON, *, order: str = "o", **fields: Any) -> None:
    """Insert a fact. Its id follows from its content, so the same call repeats the same event."""
    row = {
        "event_id": f"{event}-{order}-{moment}-{fields}",
        "occurred_at": moment,
        "order_id": order,
        **fields,
    }
    client.insert(event, [list(row.values())], column_names=list(row))


def place(client: Client, order: str, *lines: tuple[Any, ...], moment: datetime = NOON) -> None:
    add(client, "order_placed", moment, order=order, shopper_id="bea", currency="BRL", lines=list(lines))


def rows(client: Client, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(query).result_rows]


def test_an_order_has_a_line_for_each_of_its_lines_however_often_it_arrives(client: Client) -> None:
    for _ in range(3):
        place(client, "o", line(1, "pen", "ann", quantity=3), line(2, "cup", "bob", price=700))

    assert rows(client, "SELECT seller_id, line_number, product_id, gross_minor FROM order_lines") == [
        ("ann", 1, "pen", 3000),
        ("bob", 2, "cup", 700),
    ]


def test_the_state_of_an_order_does_not_depend_on_the_order_of_its_events(client: Client) -> None:
    day = timedelta(days=1)
    add(client, "order_delivered", NOON + 9 * day, order="done", seller_id="ann")
    add(client, "order_shipped", NOON + 3 * day, order="done", seller_id="ann")
    add(client, "order_shipped", NOON + day, order="sent", seller_id="ann")
    add(client, "order_confirmed", NOON, order="done")
    add(client, "order_confirmed", NOON, order="paid")
    place(client, "done")
    place(client, "new")
    add(client, "order_cancelled", NOON + day, order="gone", placed_at=NOON, currency="BRL")

    assert rows(client, "SELECT order_id, status FROM order_state ORDER BY order_id") == [
        ("done", "delivered"),
        ("gone", "cancelled"),
        ("new", "placed"),
        ("paid", "confirmed"),
        ("sent", "shipped"),
    ]
    placed_at = "SELECT toString(placed_at), currency FROM order_state WHERE order_id = 'gone'"
    assert rows(client, placed_at) == [("2018-03-01 12:00:30.000", "BRL")]


def test_the_state_of_an_order_has_the_newest_parcel_of_each_seller(client: Client) -> None:
    days = [NOON + timedelta(days=day) for day in range(4)]
    add(client, "order_shipped", days[2], seller_id="ann")
    add(client, "order_shipped", days[1], seller_id="ann")
    add(client, "order_shipped", days[1], seller_id="bob")
    add(client, "order_delivered", days[3], seller_id="bob")

    (state,) = rows(
        client,
        "SELECT status, toString(shipped_at), toString(shipped_by), toString(delivered_by) FROM order_state",
    )
    assert state == (
        "delivered",
        "2018-03-03 12:00:30.000",
        "{'ann':'2018-03-03 12:00:30.000','bob':'2018-03-02 12:00:30.000'}",
        "{'bob':'2018-03-04 12:00:30.000'}",
    )


def changed(definition: MetricDefinition) -> MetricDefinition:
    """The same metric with another definition: the shipping belongs to the gross."""
    gross = "line.quantity * line.unit_price_minor AS gross_minor"
    select = definition.sources["order_placed"].replace(
        gross, gross.replace(" AS", " + line.shipping_minor AS")
    )
    return replace(definition, sources={"order_placed": select})


def gross(client: Client) -> list[tuple[Any, ...]]:
    return rows(client, "SELECT order_id, gross_minor FROM order_lines ORDER BY order_id")


def test_a_new_definition_is_filled_beside_the_live_one_and_switched_to_at_once(client: Client) -> None:
    place(client, "stored", line(1, "pen", "ann"))
    versions = MetricVersions(client)
    versions.rebuild(changed(LINES))
    place(client, "new", line(1, "pen", "ann"))
    assert gross(client) == [("new", 1000), ("stored", 1000)]

    versions.switch("order_lines", changed(LINES).version)
    assert gross(client) == [("new", 1150), ("stored", 1150)]

    place(client, "newest", line(1, "pen", "ann"))
    versions.switch("order_lines", LINES.version)
    assert gross(client) == [("new", 1000), ("newest", 1000), ("stored", 1000)]


def test_an_interrupted_rebuild_continues_with_the_months_that_are_missing(client: Client) -> None:
    months = [NOON, NOON + timedelta(days=40), NOON + timedelta(days=80)]
    for number, moment in enumerate(months):
        place(client, f"o{number}", line(1, "pen", "ann"), moment=moment)
    filled: list[str] = []

    def interrupt(step: str) -> None:
        filled.append(step)
        if len(filled) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MetricVersions(client, interrupt).rebuild(changed(LINES))
    with pytest.raises(UserError, match="has no complete version"):
        MetricVersions(client).switch("order_lines", changed(LINES).version)
    versions = MetricVersions(client, filled.append)
    versions.rebuild(changed(LINES))
    versions.switch("order_lines", changed(LINES).version)

    assert filled == [f"metric order_lines: order_placed of 2018-0{month}" for month in (3, 4, 5)]
    assert gross(client) == [("o0", 1150), ("o1", 1150), ("o2", 1150)]


def test_only_the_live_version_and_the_one_before_it_are_kept(client: Client) -> None:
    versions = MetricVersions(client)
    second = changed(LINES)
    third = replace(second, view_sql="SELECT * FROM {table} FINAL WHERE quantity > 0")
    for definition in (second, third):
        versions.install([definition])

    assert versions.state("order_lines").been_live == (third.version, second.version)
    with pytest.raises(UserError, match=f"order_lines has no complete version {LINES.version}"):
        versions.switch("order_lines", LINES.version)
    place(client, "o", line(1, "pen", "ann"))
    assert gross(client) == [("o", 1150)]


def test_a_version_that_was_replaced_a_day_ago_is_no_longer_fed(client: Client) -> None:
    versions = MetricVersions(client)
    versions.install([changed(LINES), STATE])
    versions.install([changed(LINES), STATE])
    assert versions.state("order_lines").been_live == (changed(LINES).version, LINES.version)

    client.command(
        f"ALTER TABLE `{client.database}_rows`.switches UPDATE switched_at = switched_at - INTERVAL 25 HOUR "
        "WHERE 1 SETTINGS mutations_sync = 2"
    )
    assert versions.install([changed(LINES), STATE]) == []
    place(client, "o", line(1, "pen", "ann"))

    assert versions.state("order_lines").been_live == (changed(LINES).version,)
    assert versions.state("order_state").been_live == (STATE.version,)
    assert rows(
        client,
        f"SELECT count() FROM system.tables WHERE database = '{client.database}_rows' "
        f"AND startsWith(name, 'order_lines_{LINES.version}')",
    ) == [(0,)]
    assert gross(client) == [("o", 1150)]


def test_a_version_that_was_gone_back_from_stays_however_old_it_is(client: Client) -> None:
    versions = MetricVersions(client)
    versions.install([changed(LINES)])
    versions.switch("order_lines", LINES.version)
    client.command(
        f"ALTER TABLE `{client.database}_rows`.switches UPDATE switched_at = switched_at - INTERVAL 25 HOUR "
        "WHERE 1 SETTINGS mutations_sync = 2"
    )

    assert versions.install([changed(LINES)]) == []
    assert versions.state("order_lines").been_live == (LINES.version, changed(LINES).version)


def test_nobody_goes_back_to_a_version_without_a_column_that_another_metric_reads(client: Client) -> None:
    place(client, "o", line(1, "pen", "ann"))
    versions = MetricVersions(client)
    wider = replace(LINES, view_sql="SELECT *, 2 * gross_minor AS twice_minor FROM {table} FINAL")
    twice = MetricDefinition("twice", "", {}, "SELECT order_id, twice_minor FROM order_lines AS wide")
    versions.install([wider, twice])

    with pytest.raises(UserError, match=f"twice can't read version {LINES.version} of order_lines"):
        versions.switch("order_lines", LINES.version)
    assert rows(client, "SELECT order_id, twice_minor FROM twice") == [("o", 2000)]


def test_a_comment_makes_no_new_version() -> None:
    commented = replace(LINES, table_sql=f"-- Other words.\n{LINES.table_sql}")

    assert commented.version == LINES.version
    assert changed(LINES).version != LINES.version


def test_an_installation_that_has_the_metric_as_a_table_gets_the_view_with_all_its_rows(
    client: Client,
) -> None:
    place(client, "o", line(1, "pen", "ann"))
    client.command("DROP VIEW order_lines")
    client.command(f"DROP DATABASE {client.database}_rows")
    client.command(LINES.table_sql.replace("{table}", "order_lines"))

    MetricVersions(client).install([LINES])

    assert gross(client) == [("o", 1000)]
    assert rows(
        client,
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'order_lines%'",
    ) == [("order_lines",)]


def test_up_leaves_a_metric_alone_from_whose_version_somebody_went_back(client: Client) -> None:
    place(client, "o", line(1, "pen", "ann"))
    versions = MetricVersions(client)
    assert versions.install([changed(LINES)]) == ["order_lines"]
    versions.switch("order_lines", LINES.version)

    assert versions.install([changed(LINES)]) == []
    assert gross(client) == [("o", 1000)]


def test_a_version_is_compared_with_the_live_one(client: Client) -> None:
    place(client, "o", line(1, "pen", "ann"), line(2, "cup", "bob"))
    versions = MetricVersions(client)
    versions.rebuild(changed(LINES))

    assert versions.difference("order_lines", changed(LINES).version) == [
        FigureDifference("gross_minor", 2000, 2300)
    ]


def test_the_command_rebuilds_switches_and_goes_back(
    clickhouse_server: Settings,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = clickhouse_server.model_copy(update={"clickhouse_database": client.database})
    monkeypatch.setattr(Settings, "load", lambda: settings)
    place(client, "o", line(1, "pen", "ann"))
    monkeypatch.setattr(command, "read_definitions", lambda: {"order_lines": changed(LINES)})

    command.rebuild("order_lines")
    assert "gross_minor: 1000 in the live version, 1150 in the new one" in capsys.readouterr().out
    assert gross(client) == [("o", 1000)]
    command.switch("order_lines")
    assert gross(client) == [("o", 1150)]
    command.back("order_lines")
    assert gross(client) == [("o", 1000)]
    command.list_(as_json=True)
    assert f'"live":"{LINES.version}"' in capsys.readouterr().out
    with pytest.raises(UserError, match="there is no metric or job sales"):
        command.switch("sales")


def test_readers_see_the_old_version_or_the_new_one_and_nothing_between(
    clickhouse_server: Settings, client: Client
) -> None:
    for number in range(20):
        place(client, f"o{number}", line(1, "pen", "ann"))
    versions = MetricVersions(client)
    versions.rebuild(changed(LINES))
    settings = clickhouse_server.model_copy(update={"clickhouse_database": client.database})
    seen: set[tuple[int, int]] = set()
    stop = Event()

    def read() -> None:
        with connect(settings) as reader:
            while not stop.is_set():
                seen.add(reader.query("SELECT count(), sum(gross_minor) FROM order_lines").result_rows[0])

    readers = [Thread(target=read) for _ in range(3)]
    for thread in readers:
        thread.start()
    for _ in range(4):
        for version in (changed(LINES).version, LINES.version):
            versions.switch("order_lines", version)
    stop.set()
    for thread in readers:
        thread.join()

    assert seen == {(20, 20_000), (20, 23_000)}
