"""Fills the fact tables with a year of synthetic orders, and adds up what they contain."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clickhouse_connect.driver.client import Client

from common.clock import to_millis

BEGIN, LENGTH = datetime(2025, 1, 1, tzinfo=UTC), timedelta(days=365)
"""The year in which the orders are placed."""

LINES_PER_ORDER = 2

SELLERS = 3_000
"""The number of sellers; `seller_id(0)` sells most. A tenth of them has a third of the lines."""

ORDERS_PER_INSERT = 500_000
"""One INSERT of the facts; ClickHouse needs some hundred MB for it."""

FACTS = ("order_confirmed", "payment_captured")
"""The fact tables that are filled."""

SALES = {
    "sales_orders": "minute",
    "marketplace_sales_minute": "minute",
    "marketplace_sales_quarter_hour": "quarter_hour",
}
SALES_OF_SELLERS = {"sales_lines": "minute", "seller_sales_hour": "hour", "seller_sales_day": "day"}
"""Metric → its column of time. An order counts once in the first ones, and once for each seller in these."""

PAYMENTS = ("captured_payments", "payments_minute", "payments_quarter_hour")

_FOLDER = Path(__file__).parent
_ORDERS, _ORDERS_OF_SELLERS = "orders", "orders_of_sellers"

Sums = Mapping[str, int]
"""Figure → its sum over a whole table."""


def statement(name: str) -> str:
    """Return the text of a statement of this folder."""
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def seller_id(rank: int) -> str:
    """Return the id of a seller by its expected rank, from 0 for the largest one to `SELLERS` - 1."""
    return f"seller-{rank:04d}"


def insert(client: Client, orders: int, currency: str) -> Iterator[int]:
    """Insert `orders` confirmed orders and their payments; yield how many are stored after each block.

    The same number of orders is the same orders.
    """
    for first in range(0, orders, ORDERS_PER_INSERT):
        count = min(ORDERS_PER_INSERT, orders - first)
        parameters = {
            "begin_ms": to_millis(BEGIN),
            "length_ms": LENGTH // timedelta(milliseconds=1),
            "orders": orders,
            "first": first,
            "count": count,
            "currency": currency,
        }
        client.command(statement(FACTS[0]), parameters=parameters | {"sellers": SELLERS})
        client.command(statement(FACTS[1]), parameters=parameters)
        yield first + count


def sums(client: Client) -> dict[str, Sums]:
    """Return the sums of the facts and of every metric that adds them up, by the name of the table."""
    found = {FACTS[0]: _row(client, statement("sums_of_orders"))}
    for table, time in SALES.items():
        found[table] = _sums_of_sales(client, table, time)
    for table, time in SALES_OF_SELLERS.items():
        figures = _sums_of_sales(client, table, time)
        found[table] = {_ORDERS_OF_SELLERS if name == _ORDERS else name: figures[name] for name in figures}
    paid = "SELECT sum(amount_minor) AS paid_minor FROM {table:Identifier}"
    for table in (FACTS[1], *PAYMENTS):
        found[table] = _row(client, paid, table=table)
    return found


def _sums_of_sales(client: Client, table: str, time: str) -> Sums:
    """Add up the sums of the months, because those of a whole year need much memory."""
    found: Counter[str] = Counter()
    for month in range(1, 13):
        number = str(BEGIN.year * 100 + month)
        found.update(_row(client, statement("sums_of_sales"), table=table, time=time, month=number))
    return found


def differences(found: Mapping[str, Sums]) -> list[str]:
    """Return a sentence for each figure whose sum is not that of the first table that has the figure."""
    first: dict[str, tuple[str, int]] = {}
    described = []
    for table, figures in found.items():
        for figure, value in figures.items():
            source, expected = first.setdefault(figure, (table, value))
            if value != expected:
                described.append(f"{figure}: {value:,} in {table}, but {expected:,} in {source}")
    return described


def _row(client: Client, query: str, **parameters: str) -> Sums:
    found = client.query(query, parameters=parameters)
    return dict(zip(found.column_names, found.result_rows[0], strict=True))
