"""Measures the build of metrics over a year of orders, and the API's answers about long periods."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table

from bench import year_of_orders
from bench.durations import Quantiles, stopwatch
from bench.figures import period_answers
from bench.figures.period_answers import Answers
from bench.tables import count_and_times, print_notes
from bench.temporary_platform import temporary_clickhouse
from bench.year_of_orders import FACTS, LINES_PER_ORDER
from clickhouse.databases import ROWS_SUFFIX
from clickhouse.metrics.definition import read_definitions
from clickhouse.metrics.versions import MetricVersions
from clickhouse.migrate import apply_migrations, exclusive_client
from common.settings import Settings

_MERGE_TIMEOUT_S = 300.0
_QUIET_S = 2.0
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class StoredTables:
    """The rows, bytes on disk and parts of some tables."""

    rows: int
    bytes: int
    parts: int


@dataclass(frozen=True)
class BuiltMetric:
    """A metric, the seconds of its build from the facts or from the rows that it adds up, and its size."""

    name: str
    seconds: float
    stored: StoredTables


@dataclass(frozen=True)
class PeriodsBenchResult:
    """The build of the metrics of sales, and the answers by question.

    Args:
        lines: order lines, two for each order.
        insert_s: seconds to insert the facts, without materialised views.
        facts: the size of the facts before the build.
        built: each metric in the order of its build.
        switch_s: seconds to show all metrics to readers.
        merge_s: seconds until all merges had ended afterwards.
        answers: question → times.
        differences: a sentence for each sum that is not that of the facts.
    """

    lines: int
    insert_s: float
    facts: StoredTables
    built: list[BuiltMetric]
    switch_s: float
    merge_s: float
    answers: dict[str, Answers]
    differences: list[str]


def run(settings: Settings, lines: int, port_offset: int, console: Console) -> PeriodsBenchResult:
    """Measure on a temporary ClickHouse with `lines` order lines.

    Raises: see `temporary_clickhouse`.
    """
    with temporary_clickhouse(settings, port_offset) as own:
        apply_migrations(own)
        with exclusive_client(own) as client:
            orders = lines // LINES_PER_ORDER
            with stopwatch() as insert_s:
                for stored in year_of_orders.insert(client, orders, own.shop_currency):
                    console.print(f"{stored:,} of {orders:,} orders stored", highlight=False)
            facts = _stored_tables(client, client.database or "", *FACTS)
            built, switch_s = _build(client, console)
            with stopwatch() as merge_s:
                _wait_for_merges(client)
            measured = asyncio.run(period_answers.measure(own, console))
            console.print("comparing the sums")
            differences = year_of_orders.differences(year_of_orders.sums(client))
    return PeriodsBenchResult(
        orders * LINES_PER_ORDER, insert_s(), facts, built, switch_s, merge_s(), measured, differences
    )


def show(result: PeriodsBenchResult, console: Console) -> None:
    """Print the result."""
    built = Table("", "seconds", "rows", "MB on disk", "parts", title=f"{result.lines:,} lines of a year")
    built.add_row("facts, inserted", f"{result.insert_s:,.1f}", *_cells(result.facts))
    for metric in result.built:
        built.add_row(f"{metric.name}, built", f"{metric.seconds:,.1f}", *_cells(metric.stored))
    built.add_row("all metrics, switched", f"{result.switch_s:,.1f}", "", "", "")
    added = sum(metric.stored.bytes for metric in result.built)
    built.add_row("facts and metrics", "", "", f"{(result.facts.bytes + added) / _MEBIBYTE:,.0f}", "")
    built.add_row("merges ended", f"{result.merge_s:,.1f}", "", "", "")
    answers = Table("", "count", "p50", "p99", "max", "peer, p50", "ratio", title="Answers, ms")
    for table in (built, answers):
        for column in table.columns[1:]:
            column.justify = "right"
    for question, each in result.answers.items():
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        answers.add_row(question, *_cells_of_times(each.answered), f"{each.peer.p50_ms:,.0f}", ratio)
        for query, quantiles in each.queries.items():
            answers.add_row(f"  of it {query}", *_cells_of_times(quantiles), "", "")
        if each.failed:
            answers.add_row("  refused: took too long", f"{each.failed:,}", "", "", "", "", "")
    answers.caption = "The peer adds up the stored rows of the period: no roll-up, no FINAL."
    console.print(built, answers)
    print_notes(
        console, result.differences or ("the sums of facts, lines, hours, days and minutes are equal",)
    )


def as_json(result: PeriodsBenchResult) -> str:
    """Return the result as one JSON object."""
    ratios = {question: each.ratio for question, each in result.answers.items()}
    return json.dumps(asdict(result) | {"ratios": ratios}, indent=2)


def _build(client: Client, console: Console) -> tuple[list[BuiltMetric], float]:
    """Build the metrics of sales and payments, then switch readers to them; return the seconds of both.

    They are those with rows or sums of their own that the measured answers need.
    """
    versions = MetricVersions(client, lambda line: console.print(line, highlight=False))
    versions.prepare()
    built = []
    needed = {*year_of_orders.SALES, *year_of_orders.SALES_OF_SELLERS, *year_of_orders.PAYMENTS}
    definitions = [definition for name, definition in read_definitions().items() if name in needed]
    for definition in definitions:
        with stopwatch() as seconds:
            versions.rebuild(definition)
        table = f"{definition.name}_{definition.version}"
        stored = _stored_tables(client, f"{client.database}{ROWS_SUFFIX}", table)
        built.append(BuiltMetric(definition.name, seconds(), stored))
    with stopwatch() as switch_s:
        for definition in definitions:
            versions.switch(definition.name, definition.version)
    return built, switch_s()


def _stored_tables(client: Client, database: str, *tables: str) -> StoredTables:
    """Return the size of some tables."""
    ((rows, size, parts),) = client.query(
        "SELECT sum(rows), sum(bytes_on_disk), count() FROM system.parts "
        "WHERE active AND database = {database:String} AND has({tables:Array(String)}, table)",
        {"database": database, "tables": list(tables)},
    ).result_rows
    return StoredTables(rows, size, parts)


def _wait_for_merges(client: Client) -> None:
    """Wait until no merge has run for a while, or the time is over."""
    deadline = time.monotonic() + _MERGE_TIMEOUT_S
    quiet_since = time.monotonic()
    while time.monotonic() < min(deadline, quiet_since + _QUIET_S):
        ((running,),) = client.query("SELECT count() FROM system.merges").result_rows
        if running:
            quiet_since = time.monotonic()
        time.sleep(0.1)


def _cells_of_times(quantiles: Quantiles | None) -> Sequence[str]:
    return count_and_times(quantiles, "p50_ms", "p99_ms", "max_ms")


def _cells(stored: StoredTables) -> Sequence[str]:
    return (f"{stored.rows:,}", f"{stored.bytes / _MEBIBYTE:,.0f}", f"{stored.parts:,}")
