"""Counts the rows that have arrived in the fact tables and in the aggregates."""

from collections.abc import Mapping
from typing import Any, Protocol

from bench.order_stream import EVENTS, placed_ms
from common.clock import from_millis

_FACTS = " UNION ALL ".join(f"SELECT count() AS rows FROM {name}" for name in EVENTS)
_AGGREGATES = (
    "SELECT least("
    "(SELECT sum(lines) FROM seller_sales_minute), "
    "(SELECT sum(lines) FROM product_sales_minute), "
    "(SELECT sum(lines) FROM marketplace_sales_minute FINAL), (SELECT count() FROM order_lines))"
)


class QueryAnswer(Protocol):
    """The answer of a query."""

    @property
    def result_rows(self) -> Any:
        """The rows, each a sequence of values."""


class QueryClient(Protocol):
    """The client that counts rows: clickhouse-connect's, or the embedded engine."""

    def query(self, query: str, parameters: Any = None) -> QueryAnswer:
        """Return the answer of a query with typed parameters."""


def fact_rows(client: QueryClient) -> int:
    """Return the rows in the fact tables of the bench's events, duplicates included."""
    return _scalar(client, f"SELECT sum(rows) FROM ({_FACTS})")


def aggregated_lines(client: QueryClient) -> int:
    """Return the order lines in the sales table that has the fewest."""
    return _scalar(client, _AGGREGATES)


def delivered_orders(client: QueryClient) -> int:
    """Return how many orders are delivered in `order_state`."""
    return _scalar(client, "SELECT count() FROM order_state WHERE delivered_at IS NOT NULL")


def placed_orders(client: QueryClient) -> int:
    """Return the placed orders among the facts, duplicates included. ClickHouse reads no rows for this."""
    return _scalar(client, "SELECT count() FROM order_placed")


def aggregated_orders_from(client: QueryClient, first: int) -> int:
    """Return the aggregated orders from number `first` on, which must be the first of its minute."""
    query = "SELECT sum(orders) FROM marketplace_sales_minute FINAL WHERE minute >= {minute:DateTime('UTC')}"
    minute = from_millis(placed_ms(first)).strftime("%Y-%m-%d %H:%M:%S")
    return _scalar(client, query, {"minute": minute})


def _scalar(client: QueryClient, query: str, parameters: Mapping[str, str] | None = None) -> int:
    return int(client.query(query, parameters=parameters).result_rows[0][0])
