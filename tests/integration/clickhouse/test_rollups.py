"""Roll-ups: exact at any time, whether their sums were refreshed before, after or during a change."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import sleep
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from cli import metrics as command
from clickhouse import rollup_worker
from clickhouse.client import connect
from clickhouse.metrics import rollups
from clickhouse.metrics.definition import MetricDefinition, read_definitions
from clickhouse.metrics.rollups import Rollup
from clickhouse.metrics.versions import MetricVersions
from clickhouse.migration_lock import migration_lock
from common.errors import UserError
from common.settings import Settings
from tests.integration.servers import await_true

NOON = datetime(2018, 3, 1, 12, 0, 30, tzinfo=UTC)
DEFINITIONS = read_definitions()
PAIRS = {
    "seller_sales_hour": "SELECT seller_id, toStartOfHour(minute) AS hour, currency, max(minute) AS newest",
    "seller_sales_day": "SELECT seller_id, toStartOfDay(minute) AS day, currency, max(minute) AS newest",
    "marketplace_sales_minute": "SELECT minute, currency",
    "marketplace_sales_quarter_hour": "SELECT toStartOfFifteenMinutes(minute) AS quarter_hour, currency",
}
"""Roll-up → how its keys come from the rows."""

SELLERS = ("sales_lines", "seller_sales_hour", "seller_sales_day")
MARKETPLACE = ("sales_orders", "marketplace_sales_minute", "marketplace_sales_quarter_hour")
PAYMENTS = ("captured_payments", "payments_minute", "payments_quarter_hour")
"""Metrics, each before the roll-ups that add it up."""

FIGURES = ", ".join(
    f"sum({name}) AS {name}"
    for name in (
        *("orders", "lines", "units", "gross_minor", "discount_minor", "shipping_minor"),
        *("cancelled_orders", "cancelled_units", "cancelled_gross_minor", "cancelled_discount_minor"),
        *("cancelled_shipping_minor", "returned_units", "returned_minor", "revenue_minor"),
    )
)


@pytest.fixture
def settings(database_without_metrics: Settings) -> Settings:
    """A database without facts, in which each test installs the metrics that it reads."""
    return database_without_metrics


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    """The administrator of the test's database."""
    with connect(settings, admin=True) as client:
        yield client


def install(client: Client, *names: str) -> None:
    """Install metrics. What `at_once` changes must be set before: tables contain it."""
    MetricVersions(client).install(DEFINITIONS[name] for name in names)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes are dropped a second after they were made, if they are processed."""
    monkeypatch.setattr(rollups, "NOTES_PARTITION_S", 1)
    monkeypatch.setattr(rollups, "CLOCK_ERROR_S", 0)


def lines(*prices: int) -> list[tuple[Any, ...]]:
    sellers = ("ann", "bob")
    nothing = (None, None, None)
    return [
        (n, "pen", sellers[n % 2], 1, price, 10, 150, 0, 1000, *nothing) for n, price in enumerate(prices)
    ]


def insert(client: Client, event: str, order: str, **fields: Any) -> None:
    """Insert an event; its id follows from its order, so a second one replaces it."""
    moment = fields.pop("occurred_at", NOON)
    row = {
        "event_id": f"{event}-{order}",
        "occurred_at": moment,
        "order_id": order,
        "currency": "BRL",
        **fields,
    }
    client.insert(event, [list(row.values())], column_names=list(row))


def confirm(client: Client, order: str, *prices: int, placed_at: datetime = NOON) -> None:
    insert(client, "order_confirmed", order, placed_at=placed_at, lines=lines(*prices))


def cancel(client: Client, order: str, *prices: int, placed_at: datetime = NOON) -> None:
    insert(
        client, "order_cancelled", order, placed_at=placed_at, confirmed_at=placed_at, lines=lines(*prices)
    )


def rows(client: Client, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(query).result_rows]


def assert_exact(client: Client) -> None:
    """Compare every roll-up with the sums of the rows, in all columns."""
    assert_sales_exact(client)
    sums = "method, currency, count(), sum(amount_minor) FROM captured_payments GROUP BY ALL ORDER BY ALL"
    for name, key in (
        ("payments_minute", "minute"),
        ("payments_quarter_hour", "toStartOfFifteenMinutes(minute)"),
    ):
        assert rows(client, f"SELECT * FROM {name} ORDER BY ALL") == rows(client, f"SELECT {key}, {sums}")


def assert_sales_exact(client: Client) -> None:
    """Compare every roll-up of sales with the sums of the rows, in all columns."""
    for name, keys in PAIRS.items():
        source = "sales_orders" if name.startswith("marketplace") else "sales_lines"
        expected = rows(client, f"{keys}, {FIGURES} FROM {source} GROUP BY ALL ORDER BY ALL")
        assert rows(client, f"SELECT * FROM {name} ORDER BY ALL") == expected, name
        assert expected


def stored(client: Client, name: str) -> int:
    """Return the number of stored sums of a roll-up's live version."""
    return int(rows(client, f"SELECT count() FROM {rollup_of(client, name).table}")[0][0])


def refresh(client: Client) -> None:
    """Refresh all roll-ups, and keep the notes."""
    rollup_worker.refresh_all(client, {})


def rollup_of(client: Client, name: str) -> Rollup:
    """Return the live version of a roll-up."""
    return next(each for each in MetricVersions(client).rollups() if each.metric == name)


def test_figures_are_exact_before_and_after_a_refresh_and_after_later_changes(client: Client) -> None:
    install(client, *SELLERS, *MARKETPLACE, *PAYMENTS)
    for number in range(6):
        confirm(client, f"o{number}", 1000, 700, placed_at=NOON + timedelta(hours=13 * number))
    insert(client, "payment_captured", "o1", method="pix", amount_minor=1700)
    assert stored(client, "seller_sales_hour") == 0
    assert_exact(client)

    refresh(client)
    assert stored(client, "seller_sales_hour") == 12
    assert stored(client, "seller_sales_day") > 0
    assert_exact(client)

    cancel(client, "o2", 1000, 700, placed_at=NOON + timedelta(hours=26))
    confirm(client, "late", 99, placed_at=NOON - timedelta(days=400))
    insert(client, "payment_captured", "o2", method="pix", amount_minor=1700)
    assert_exact(client)
    refresh(client)
    refresh(client)
    assert_exact(client)


@pytest.mark.nightly
@pytest.mark.usefixtures("at_once")
def test_the_stored_sums_are_what_readers_get_once_nothing_changes(client: Client) -> None:
    """Without this, a reader would add up the rows for ever, and the sums would be of no use."""
    install(client, *SELLERS, *MARKETPLACE)
    confirm(client, "o", 1000, 700)
    processed: rollup_worker.Processed = {}
    sleep(1.5)
    for _ in range(2):
        processed = rollup_worker.refresh_all(client, processed)
    for name in ("sales_lines", "sales_orders"):
        client.command(f"TRUNCATE TABLE `{client.database}_rows`.{name}_{DEFINITIONS[name].version}")

    assert rows(client, "SELECT sum(gross_minor) FROM marketplace_sales_minute") == [(1700,)]
    assert rows(client, "SELECT sum(gross_minor) FROM seller_sales_day") == [(1700,)]


def test_a_repeated_event_changes_nothing_and_an_interrupted_refresh_is_made_up_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(client, *SELLERS, *MARKETPLACE)
    for month in range(3):
        confirm(client, f"o{month}", 1000, placed_at=NOON + timedelta(days=31 * month))
    written: list[str] = []
    command = client.command

    def interrupt(statement: str, *arguments: Any, **named: Any) -> Any:
        if statement.startswith("INSERT") and "seller_sales_hour" in statement.partition("(")[0]:
            written.append(statement)
            if len(written) == 2:
                raise KeyboardInterrupt
        return command(statement, *arguments, **named)

    monkeypatch.setattr(client, "command", interrupt)
    with pytest.raises(KeyboardInterrupt):
        refresh(client)
    monkeypatch.setattr(client, "command", command)
    assert stored(client, "seller_sales_hour") == 1
    assert_sales_exact(client)

    for month in range(3):
        confirm(client, f"o{month}", 1000, placed_at=NOON + timedelta(days=31 * month))
    refresh(client)
    assert_sales_exact(client)
    assert rows(client, "SELECT sum(orders) FROM marketplace_sales_minute") == [(3,)]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("orders", [30, pytest.param(300, marks=pytest.mark.nightly)])
def test_readers_never_see_a_part_of_a_change_while_sums_are_refreshed(
    settings: Settings, client: Client, orders: int
) -> None:
    """The sums of all orders of 1000 are 1000 an order, for each of the 8 hours.

    There is no time between two refreshes here, so a sum may be old. What is tested is that no key is missing
    and none counts twice.
    """
    install(client, "sales_lines", "seller_sales_hour")
    stop, seen = Event(), []

    def refresh_all_the_time() -> None:
        processed: rollup_worker.Processed = {}
        with connect(settings, admin=True) as own:
            while not stop.is_set():
                processed = rollup_worker.refresh_all(own, processed)

    def read() -> None:
        query = "SELECT sum(orders), sum(gross_minor), count() FROM seller_sales_hour"
        with connect(settings) as reader:
            while not stop.is_set():
                seen.append(reader.query(query).result_rows[0])

    for hour in range(8):
        confirm(client, f"first{hour}", 1000, placed_at=NOON + timedelta(hours=hour))
    refresh(client)
    threads = [Thread(target=refresh_all_the_time), Thread(target=read), Thread(target=read)]
    for thread in threads:
        thread.start()
    for number in range(orders):
        confirm(client, f"o{number}", 1000, placed_at=NOON + timedelta(hours=number % 8))
    stop.set()
    for thread in threads:
        thread.join()

    assert all(gross == 1000 * sold and keys == 8 for sold, gross, keys in seen)
    assert {sold for sold, _, _ in seen} - {8}, "the readers saw changes"


@contextmanager
def slow_insert(settings: Settings) -> Iterator[Thread]:
    """Run an INSERT of an order of ann in each of six hours, which takes 3 s, for a `with` block."""
    statement = (
        "INSERT INTO order_confirmed (event_id, occurred_at, order_id, placed_at, currency, lines) "
        f"SELECT 'slow' || number + sleepEachRow(0.5), '{NOON:%F %T}', 'slow' || number, "
        f"toDateTime64('{NOON:%F %T}', 3, 'UTC') + INTERVAL number HOUR, "
        "'BRL', [(1, 'pen', 'ann', 1, 1000, 0, 0, 0, 0, NULL, NULL, NULL)] FROM numbers(6) "
        "SETTINGS max_threads = 1, "
        "max_block_size = 1, min_insert_block_size_rows = 1, min_insert_block_size_bytes = 1"
    )

    def run() -> None:
        with connect(settings, admin=True) as own:
            own.command(statement)

    thread = Thread(target=run)
    with connect(settings, admin=True) as admin:
        thread.start()
        running = "SELECT count() FROM system.processes WHERE query_kind = 'Insert' AND query ILIKE '%slow%'"
        await_true(lambda: admin.query(running).first_row == (1,), "the INSERT runs")
    yield thread
    thread.join()


@pytest.mark.nightly
@pytest.mark.usefixtures("at_once")
def test_a_note_is_kept_while_an_insert_from_before_it_is_running(settings: Settings, client: Client) -> None:
    """The rows that it is about may not be visible yet."""
    install(client, *SELLERS, *MARKETPLACE)
    hours = rollup_of(client, "seller_sales_hour")
    notes = f"SELECT count() FROM {hours.changes} WHERE seller_id = 'eve'"
    processed: rollup_worker.Processed = {}
    kept = set()
    with slow_insert(settings) as insert:
        client.command(f"INSERT INTO {hours.changes} (seller_id, hour) VALUES ('eve', '2018-03-01 12:00:00')")
        while insert.is_alive():
            processed = rollup_worker.refresh_all(client, processed)
            kept.add((rows(client, notes)[0][0], insert.is_alive()))
    assert {count for count, alive in kept if alive} == {1}

    for _ in range(2):
        sleep(1)
        processed = rollup_worker.refresh_all(client, processed)
    assert rows(client, notes) == [(0,)]
    assert rows(client, "SELECT sum(orders) FROM seller_sales_day") == [(6,)]
    assert_sales_exact(client)


def test_a_version_contains_the_rows_of_an_insert_that_began_before_it(
    settings: Settings, client: Client
) -> None:
    """Its materialised views miss these rows, so the build must read them from the facts."""
    install(client, *SELLERS)
    confirm(client, "o", 1000)
    with slow_insert(settings):
        MetricVersions(client).install(changed_with_rollups())
    assert rows(client, "SELECT sum(orders) FROM sales_lines") == [(7,)]
    assert grosses(client, "sales_lines", "seller_sales_hour", "seller_sales_day") == [7150] * 3


def test_an_interrupted_build_of_a_roll_up_continues_and_contains_what_changed_since(client: Client) -> None:
    install(client, *SELLERS, *MARKETPLACE)
    for month in range(3):
        confirm(client, f"o{month}", 1000, placed_at=NOON + timedelta(days=31 * month))
    steps: list[str] = []

    def interrupt(step: str) -> None:
        steps.append(step)
        if step == "metric seller_sales_hour: sales_lines of 2018-04":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MetricVersions(client, interrupt).install(changed_with_rollups())
    confirm(client, "late", 500)
    steps.clear()
    MetricVersions(client, steps.append).install(changed_with_rollups())

    assert [step for step in steps if "seller_sales_hour" in step and "sales_lines" in step] == [
        "metric seller_sales_hour: sales_lines of 2018-05"
    ]
    assert_sales_exact(client)
    assert grosses(client, "seller_sales_day") == [3 * 1150 + 650]


def changed(definition: MetricDefinition) -> MetricDefinition:
    """Sales lines whose gross contains the shipping."""
    gross = "line.quantity * line.unit_price_minor AS gross_minor"
    sold = definition.sources["order_confirmed"]
    with_shipping = sold.replace(gross, gross.replace(" AS", " + line.shipping_minor AS"))
    assert with_shipping != sold
    return replace(definition, sources={**definition.sources, "order_confirmed": with_shipping})


def changed_with_rollups() -> tuple[MetricDefinition, MetricDefinition, MetricDefinition]:
    """Changed sales lines, and the hours and days that add them up."""
    lines = changed(DEFINITIONS["sales_lines"])
    hours = replace(DEFINITIONS["seller_sales_hour"], adds_up=lines)
    return lines, hours, replace(DEFINITIONS["seller_sales_day"], adds_up=hours)


def grosses(client: Client, *views: str) -> list[int]:
    return [rows(client, f"SELECT sum(gross_minor) FROM {view}")[0][0] for view in views]


def test_a_metric_and_the_roll_ups_that_add_it_up_change_together(client: Client) -> None:
    install(client, *SELLERS)
    confirm(client, "o", 1000)
    refresh(client)
    lines, hours, days = changed_with_rollups()
    versions = MetricVersions(client)
    views = ("sales_lines", "seller_sales_hour", "seller_sales_day")

    versions.rebuild(lines)
    with pytest.raises(UserError, match="roll-up seller_sales_hour has no version that adds up version"):
        versions.switch("sales_lines", lines.version)
    assert grosses(client, *views) == [1000, 1000, 1000]

    assert versions.install([lines, hours, days]) == ["sales_lines", "seller_sales_hour", "seller_sales_day"]
    assert grosses(client, *views) == [1150, 1150, 1150]

    versions.switch("sales_lines", DEFINITIONS["sales_lines"].version)
    assert grosses(client, *views) == [1000, 1000, 1000]


@pytest.mark.nightly
def test_the_command_rebuilds_a_metric_with_the_roll_ups_that_add_it_up(
    settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(client, *SELLERS, "seller_sales_minute")
    confirm(client, "o", 1000)
    refresh(client)
    lines, hours, days = changed_with_rollups()
    definitions = {each.name: each for each in (lines, DEFINITIONS["order_lines"], hours, days)}
    monkeypatch.setattr(Settings, "load", lambda: settings)
    monkeypatch.setattr(command, "read_definitions", lambda: definitions)
    views = ("seller_sales_minute", "seller_sales_hour", "seller_sales_day")

    command.rebuild("sales_lines")
    printed = capsys.readouterr().out
    assert printed.count("gross_minor: 1000 in the live version, 1150 in the new one") == 3
    assert "order_lines" not in printed
    assert grosses(client, *views) == [1000] * 3
    command.switch("sales_lines")
    assert grosses(client, *views) == [1150] * 3
    command.back("sales_lines")
    assert grosses(client, *views) == [1000] * 3


@pytest.mark.nightly
def test_a_metric_that_was_a_table_of_flink_becomes_the_roll_up_with_all_sales(client: Client) -> None:
    confirm(client, "o", 1000)
    client.command(
        "CREATE TABLE marketplace_sales_minute (minute DateTime, orders UInt64) "
        "ENGINE = MergeTree ORDER BY minute"
    )

    install(client, *SELLERS, *MARKETPLACE)

    assert_sales_exact(client)


@pytest.mark.nightly
def test_notes_are_dropped_after_the_next_refresh_if_every_roll_up_has_processed_them(
    settings: Settings, client: Client
) -> None:
    install(client, *SELLERS, *MARKETPLACE)
    confirm(client, "o", 1000, placed_at=NOON)
    hours, days = (rollup_of(client, name) for name in ("seller_sales_hour", "seller_sales_day"))
    client.command(
        f"INSERT INTO {hours.changes} SELECT now64(3) - INTERVAL 5 MINUTE, 'ann', '2018-03-01 12:00:00'"
    )
    old = f"SELECT count() FROM {hours.changes} WHERE changed_at < now() - INTERVAL 2 MINUTE"
    processed = dict(rollup_worker.refresh_all(client, {}))
    assert rows(client, old) == [(1,)], "readers may still read the sums from before"

    rollup_worker.refresh_all(client, {each: at for each, at in processed.items() if each != days.table_name})
    assert rows(client, old) == [(1,)], "the days have not processed it"

    with migration_lock(client, settings):
        rollup_worker.refresh_all(client, processed)
    assert rows(client, old) == [(1,)], "a version that is being built may need it"

    rollup_worker.refresh_all(client, processed)
    assert rows(client, old) == [(0,)]
    assert rows(client, f"SELECT count() FROM {hours.changes}") == [(1,)], "a note of this minute"
    assert_sales_exact(client)
