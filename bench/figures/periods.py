"""Measures the build of metrics over a year of orders, and the API's answers about long periods."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from random import Random

from clickhouse_connect.driver.client import Client
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from bench import year_of_orders
from bench.durations import Quantiles, stopwatch
from bench.tables import count_and_times, print_notes
from bench.temporary_platform import temporary_clickhouse
from bench.year_of_orders import BEGIN, FACTS, LENGTH, LINES_PER_ORDER, SELLERS, seller_id
from clickhouse.databases import ROWS_SUFFIX
from clickhouse.metrics.definition import read_definitions
from clickhouse.metrics.versions import MetricVersions
from clickhouse.migrate import apply_migrations, exclusive_client
from clickhouse.query_files import load_queries
from common.clock import system_clock
from common.settings import Settings
from serving.analytics import sales
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import ClickHouseQueries, Row, Value
from serving.kit.live_versions import LiveVersions
from serving.kit.names import Names
from serving.kit.periods import previous_period
from serving.kit.problems import ClickHouseUnavailable
from serving.kit.watermarks import WatermarkCache

_MERGE_TIMEOUT_S = 300.0
_QUIET_S = 2.0
_MEBIBYTE = 1 << 20

ANSWERS_OF_SELLER, ANSWERS_OF_MARKETPLACE = 100, 40
"""Answers to measure for each question about one seller, and about the marketplace."""

WARM_UP = 3

MAX_SECONDS = 60.0
"""No further answer to a question is measured after this time."""

SEED = 1
DAYS = 90
TYPICAL = range(SELLERS * 2 // 5, SELLERS * 3 // 5)
"""The ranks of sellers of a typical size."""

_PEER_OF_SELLER, _PEER_OF_MARKETPLACE = "peer_of_seller", "peer_of_marketplace"
_LARGEST = 0


@dataclass(frozen=True)
class Answers:
    """Times of an answer about one period, those of each of its queries, and those of the peer.

    The peer adds up the stored rows without a roll-up and without FINAL. `failed` counts answers that the API
    would refuse with 503, because a query took too long.
    """

    answered: Quantiles | None
    peer: Quantiles
    queries: dict[str, Quantiles]
    failed: int

    @property
    def ratio(self) -> float | None:
        """Return the median of the answers divided by that of the peer."""
        return round(self.answered.p50_ms / self.peer.p50_ms, 2) if self.answered else None


@dataclass(frozen=True)
class Question:
    """What is measured: an answer of the API, and the peer's query of the same rows.

    `draw` returns a request and the seller that it is about ("" for the marketplace).
    """

    name: str
    answers: int
    draw: Callable[[Random], tuple[PeriodRequest, str]]


def questions() -> list[Question]:
    """Return what is measured. The year before is empty, so an answer about a year reads one year."""
    year = PeriodRequest(BEGIN.date().isoformat(), (BEGIN + LENGTH).date().isoformat(), "day")
    return [
        Question(
            "a typical seller, 90 days", ANSWERS_OF_SELLER, lambda r: (_days(r), seller_id(r.choice(TYPICAL)))
        ),
        Question("the largest seller, 90 days", ANSWERS_OF_SELLER, lambda r: (_days(r), seller_id(_LARGEST))),
        Question("the marketplace, 90 days by day", ANSWERS_OF_MARKETPLACE, lambda r: (_days(r), "")),
        Question("the marketplace, a year by day", ANSWERS_OF_MARKETPLACE, lambda _: (year, "")),
    ]


def _days(random: Random) -> PeriodRequest:
    """Draw 90 days for which the facts contain the period before, too."""
    last = BEGIN.date() + timedelta(days=random.randint(2 * DAYS + 1, LENGTH.days))
    return PeriodRequest((last - timedelta(days=DAYS)).isoformat(), last.isoformat(), "day")


class TimedQueries(ClickHouseQueries):
    """The API's queries, and the seconds that each has taken."""

    def __init__(self, settings: Settings) -> None:
        peers = {name: year_of_orders.statement(name) for name in (_PEER_OF_SELLER, _PEER_OF_MARKETPLACE)}
        super().__init__(settings, load_queries() | peers)
        self._rows_database = f"{settings.clickhouse_database}{ROWS_SUFFIX}"
        self._definitions = read_definitions()
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    def stored_rows(self, metric: str) -> dict[str, Value]:
        """Return the database and the table with the stored rows of a metric, as parameters of a peer."""
        return {"database": self._rows_database, "table": f"{metric}_{self._definitions[metric].version}"}

    async def rows(self, query: str, **parameters: Value) -> list[Row]:
        """Run a query and record its time."""
        with stopwatch() as seconds:
            rows = await super().rows(query, **parameters)
        self.seconds[query].append(seconds())
        return rows


def _peer_parameters(context: AnalyticsContext, requested: PeriodRequest, seller: str) -> dict[str, Value]:
    """Return the parameters of the peer's query: it reads the rows of the period and of the one before."""
    period = context.period(requested, None)
    return {
        "previous_start": previous_period(period, context.zone).start,
        "period_end": period.end,
        "timezone": context.zone.key,
        **({"seller_id": seller} if seller else {}),
    }


@asynccontextmanager
async def _analytics_context(
    settings: Settings, queries: ClickHouseQueries
) -> AsyncIterator[AnalyticsContext]:
    """Yield the context of the API's services, without the process of the API."""
    watermarks = WatermarkCache(queries)
    # Nothing listens here: names of products come from ClickHouse.
    versions = LiveVersions(Redis(port=1))
    currency = settings.shop_currency
    names = Names(queries, versions)
    try:
        yield AnalyticsContext(
            settings.timezone, currency, queries, versions, names, watermarks, system_clock
        )
    finally:
        await watermarks.aclose()


async def _measure_answers(settings: Settings, console: Console) -> dict[str, Answers]:
    """Return question → times, on a ClickHouse with the year of orders and its metrics."""
    async with TimedQueries(settings) as queries, _analytics_context(settings, queries) as context:
        answers = {}
        for question in questions():
            console.print(f"measuring {question.name}", highlight=False)
            answers[question.name] = await _ask(question, context, queries)
        return answers


async def _ask(question: Question, context: AnalyticsContext, queries: TimedQueries) -> Answers:
    """Measure the answers to a question. After each, the peer's query of the same period is measured."""
    random = Random(f"{SEED} {question.name}")
    seconds: list[float] = []
    failed = 0
    requested, seller = question.draw(random)
    peer = _PEER_OF_SELLER if seller else _PEER_OF_MARKETPLACE
    peer_rows = queries.stored_rows("sales_lines" if seller else "sales_orders")
    begun = time.monotonic()
    for number in range(WARM_UP + question.answers):
        if number == WARM_UP:
            seconds, failed = [], 0
            queries.seconds.clear()
        try:
            with stopwatch() as answer_s:
                await (
                    sales.of_seller(context, seller, requested)
                    if seller
                    else sales.of_marketplace(context, requested)
                )
            seconds.append(answer_s())
        except ClickHouseUnavailable:
            failed += 1
        await queries.rows(peer, **peer_rows, **_peer_parameters(context, requested, seller))
        if number >= WARM_UP and time.monotonic() - begun > MAX_SECONDS:
            break
        requested, seller = question.draw(random)
    peer_seconds = queries.seconds.pop(peer)
    each = {name: Quantiles.of(times) for name, times in queries.seconds.items() if name != "as_of"}
    return Answers(Quantiles.of(seconds) if seconds else None, Quantiles.of(peer_seconds), each, failed)


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
            measured = asyncio.run(_measure_answers(own, console))
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
