"""Measures answers about a seller's 90 days on many rows, beside plain queries and beside PostgreSQL."""

import asyncio
import json
from dataclasses import asdict, dataclass

import asyncpg
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table

from bench.analytics import rows
from bench.analytics.answers import QuestionAnswers, measure
from bench.figures.periods import StoredTables, stored_tables, wait_for_merges
from bench.quantiles import Quantiles
from bench.stopwatch import stopwatch
from bench.temporary_platform import temporary_clickhouse, temporary_postgres
from clickhouse.databases import ROWS_SUFFIX
from clickhouse.metrics.definition import read_definitions
from clickhouse.migrate import exclusive_client, migrate
from common.settings import Settings

_MEBIBYTE = 1 << 20
_WIDTH = 110
"""The characters of a line of the table, which a file or a pipe takes, too."""


@dataclass(frozen=True)
class AnalyticsBenchResult:
    """The rows in both stores, the seconds to fill them, the answers by question, and differences.

    `postgres_bytes` counts the indexes, too.
    """

    stored: StoredTables
    insert_s: float
    postgres_rows: int
    postgres_bytes: int
    copy_s: float
    answers: dict[str, QuestionAnswers]
    differences: list[str]


def run(settings: Settings, count: int, port_offset: int, console: Console) -> AnalyticsBenchResult:
    """Measure on a temporary ClickHouse with `count` order lines, and a temporary PostgreSQL.

    Raises: see `temporary_clickhouse`.
    """
    with temporary_clickhouse(settings, port_offset) as own, temporary_postgres(own):
        migrate(own)
        with exclusive_client(own) as client:
            database = f"{client.database}{ROWS_SUFFIX}"
            table = f"sales_lines_{read_definitions()['sales_lines'].version}"
            with stopwatch() as insert_s:
                for stored in rows.insert(client, database, table, count, own.shop_currency):
                    console.print(f"{stored:,} of {count:,} rows stored", highlight=False)
                wait_for_merges(client)
            size = stored_tables(client, database, table)
            return asyncio.run(_measure(own, client, f"`{database}`.`{table}`", size, insert_s(), console))


async def _measure(
    settings: Settings, client: Client, table: str, size: StoredTables, insert_s: float, console: Console
) -> AnalyticsBenchResult:
    peer = await asyncpg.connect(settings.postgres)
    try:
        console.print("copying a tenth to PostgreSQL")
        with stopwatch() as copy_s:
            copied = await rows.copy_tenth(client, table, peer)
        size_of_peer = await peer.fetchval(f"SELECT pg_total_relation_size('{rows.PEER}')")
        answers, differences = await measure(settings, peer, console)
    finally:
        await peer.close()
    return AnalyticsBenchResult(size, insert_s, copied, size_of_peer, copy_s(), answers, differences)


def show(result: AnalyticsBenchResult, console: Console) -> None:
    """Print the result."""
    heads = ("API p50", "p99", "query p50", "p99", "API:query", "PG p50", "p99", "PG:query")
    table = Table("", *heads, title="One seller, 90 days; ms")
    for column in table.columns:
        column.no_wrap = True
        column.justify = "right" if column.header else "left"
    for question, each in result.answers.items():
        table.add_row(
            question,
            *_times(each.api),
            *_times(each.bare),
            f"{each.to_bare:.2f}",
            *_times(each.postgres),
            f"{each.of_postgres:.2f}",
        )
    table.caption = (
        "The query reads the stored rows, without FINAL. PostgreSQL (PG) has a tenth of the rows. "
        "The ratios are those of the medians."
    )
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    console.print(table)
    stored = result.stored
    for line in (
        f"ClickHouse: {stored.rows:,} rows, {stored.bytes / _MEBIBYTE:,.0f} MB, {stored.parts:,} parts, "
        f"filled and merged in {result.insert_s:,.0f} s",
        f"PostgreSQL: {result.postgres_rows:,} rows, {result.postgres_bytes / _MEBIBYTE:,.0f} MB with "
        f"indexes, copied in {result.copy_s:,.0f} s",
        *(result.differences or ["the answers of both about the same rows are equal"]),
    ):
        console.print(f"• {line}", highlight=False, markup=False, soft_wrap=True)


def as_json(result: AnalyticsBenchResult) -> str:
    """Return the result as one JSON object."""
    ratios = {
        question: {"api_to_query": each.to_bare, "postgres_to_query": each.of_postgres}
        for question, each in result.answers.items()
    }
    return json.dumps(asdict(result) | {"ratios": ratios}, indent=2)


def _times(quantiles: Quantiles) -> tuple[str, str]:
    return f"{quantiles.p50_ms:,.1f}", f"{quantiles.p99_ms:,.1f}"
