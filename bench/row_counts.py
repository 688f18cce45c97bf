"""Counts the rows that have arrived in the fact tables and in the aggregates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bench.order_stream import EVENTS, placed_ms
from clickhouse.metrics.definition import read_definitions
from clickhouse.metrics.versions import qualified_table
from common.clock import from_millis

_ROWS = " UNION ALL ".join(f"SELECT count() AS rows FROM {name}" for name in EVENTS)

FACTS = f"SELECT sum(rows) FROM ({_ROWS})"
"""The query of the rows in the fact tables of the bench's events, duplicates included."""

PLACED_ORDERS = "SELECT count() FROM order_placed"
"""The query of the placed orders among the facts, duplicates included. ClickHouse reads no rows for it."""


@dataclass(frozen=True)
class ProgressQueries:
    """Queries of how far the aggregates are: the order lines in the slowest one, and the delivered orders.

    They read as little as possible, because they load the machine that is measured. The benchmark sends no
    event twice, so rows that are not merged yet count right.
    """

    lines: str
    delivered: str


def of_platform(database: str) -> ProgressQueries:
    """Return the queries over the platform's tables."""
    definitions = read_definitions()
    return _progress(lambda metric: qualified_table(database, metric, definitions[metric].version))


def _progress(rows: Callable[[str], str]) -> ProgressQueries:
    return ProgressQueries(
        f"SELECT least((SELECT count() FROM {rows('sales_lines')}), "
        f"(SELECT count() FROM {rows('order_lines')}), "
        f"(SELECT sum(lines) FROM {rows('sales_orders')}))",
        f"SELECT countIf(status = 'delivered') FROM {rows('order_state')}",
    )


OF_PEER = _progress(str)
"""The queries over a peer's tables, which have the names of the metrics."""


class QueryAnswer(Protocol):
    """The answer of a query."""

    @property
    def result_rows(self) -> Any:
        """The rows, each a sequence of values."""


class QueryClient(Protocol):
    """The client that counts rows: clickhouse-connect's, or the embedded engine."""

    def query(self, query: str, parameters: Any = None) -> QueryAnswer:
        """Return the answer of a query with typed parameters."""


def aggregated_orders_from(client: QueryClient, first: int) -> int:
    """Return the aggregated orders from number `first` on, which must be the first of its minute."""
    query = "SELECT sum(orders) FROM marketplace_sales_minute WHERE minute >= {minute:DateTime('UTC')}"
    minute = from_millis(placed_ms(first)).strftime("%Y-%m-%d %H:%M:%S")
    return count(client, query, {"minute": minute})


def count(client: QueryClient, query: str, parameters: Mapping[str, str] | None = None) -> int:
    """Return the number that a query answers."""
    return int(client.query(query, parameters=parameters).result_rows[0][0])
