"""Counts what has arrived in the fact tables and in the aggregates."""

from clickhouse_connect.driver.client import Client

from bench.stream import EVENTS, placed_ms
from common.clock import from_millis

_FACTS = " UNION ALL ".join(f"SELECT count() AS rows FROM {name}" for name in EVENTS)
_AGGREGATES = (
    "SELECT least("
    "(SELECT sum(lines) FROM seller_sales_minute FINAL), "
    "(SELECT sum(lines) FROM product_sales_minute FINAL), "
    "(SELECT sum(lines) FROM marketplace_sales_minute FINAL), (SELECT count() FROM order_lines))"
)


def facts(client: Client) -> int:
    """Rows in the fact tables of the bench's events, repeats included."""
    return _number(client, f"SELECT sum(rows) FROM ({_FACTS})")


def lines_added_up(client: Client) -> int:
    """Order lines in the sales tables: those of the table that has the fewest."""
    return _number(client, _AGGREGATES)


def orders_delivered(client: Client) -> int:
    """Orders that have come all the way in `order_state`."""
    return _number(client, "SELECT count() FROM order_state FINAL WHERE delivered_at IS NOT NULL")


def orders_placed(client: Client) -> int:
    """Placed orders that the facts hold, repeats included; costs nothing, for the parts know their rows."""
    return _number(client, "SELECT count() FROM order_placed")


def orders_sold_from(client: Client, first: int) -> int:
    """Orders of the stream from number `first` (the first of its minute) on that the aggregates hold."""
    query = "SELECT sum(orders) FROM marketplace_sales_minute FINAL WHERE minute >= {minute:DateTime('UTC')}"
    minute = from_millis(placed_ms(first)).strftime("%Y-%m-%d %H:%M:%S")
    return _number(client, query, {"minute": minute})


def _number(client: Client, query: str, parameters: dict[str, str] | None = None) -> int:
    return int(client.query(query, parameters=parameters).result_rows[0][0])
