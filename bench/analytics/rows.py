"""Fills the table of order lines in ClickHouse, and a tenth of it in PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from clickhouse_connect.driver.client import Client

from bench.year_of_orders import BEGIN, LENGTH, SELLERS

ROWS_PER_INSERT = 2_000_000

COPIED_AT_ONCE = timedelta(days=20)
"""The time whose rows are copied to PostgreSQL by one query, which sorts them."""

TENTH = "cityHash64(order_id) % 10 = 0"
"""Selects a tenth of the orders in ClickHouse."""


PEER = "sales_lines"
"""The table in PostgreSQL."""

_PART_BYTES = 1 << 20
_INSERT = Path(__file__).with_name("sales_lines.sql").read_text(encoding="utf-8")
_CREATE = Path(__file__).with_name("postgres.sql").read_text(encoding="utf-8")
_COLUMNS = (
    *("seller_id", "minute", "order_id", "kind", "return_id", "line_number", "product_id", "currency"),
    *("orders", "orders_of_product", "lines", "units", "gross_minor", "discount_minor", "shipping_minor"),
    *("cancelled_orders", "cancelled_orders_of_product", "cancelled_units", "cancelled_gross_minor"),
    *("cancelled_discount_minor", "cancelled_shipping_minor", "returned_units", "returned_minor"),
    "revenue_minor",
)


def insert(client: Client, database: str, table: str, rows: int, currency: str) -> Iterator[int]:
    """Insert `rows` lines of a year; yield how many are stored after each block.

    The same number of rows is the same rows.
    """
    for first in range(0, rows, ROWS_PER_INSERT):
        count = min(ROWS_PER_INSERT, rows - first)
        parameters = {
            "database": database,
            "table": table,
            "begin_s": int(BEGIN.timestamp()),
            "length_s": LENGTH // timedelta(seconds=1),
            "orders": max(1, rows // 2),
            "sellers": SELLERS,
            "currency": currency,
            "first": first,
            "count": count,
        }
        client.command(_INSERT, parameters=parameters)
        yield first + count


async def copy_tenth(client: Client, table: str, peer: asyncpg.Connection) -> int:
    """Copy a tenth of the orders to PostgreSQL in the order of time, with indexes; return the rows.

    The rows come as the events would: sorted by time. The index by seller and time has the columns of the
    questions, so that PostgreSQL need not read the table.
    """
    tables, indexes = _CREATE.split("-- indexes\n")
    await peer.execute(tables)
    for part in range(LENGTH // COPIED_AT_ONCE + 1):
        start = BEGIN + part * COPIED_AT_ONCE
        bounds = int(start.timestamp()), int((start + COPIED_AT_ONCE).timestamp())
        query = (
            f"SELECT {', '.join(_COLUMNS)} FROM {table} WHERE {TENTH} "
            f"AND minute >= toDateTime({bounds[0]}) AND minute < toDateTime({bounds[1]}) ORDER BY minute"
        )
        stream = client.raw_stream(query, fmt="TabSeparated")
        await peer.copy_to_table(PEER, source=_parts(stream), columns=_COLUMNS, format="text")
    await peer.execute(indexes)
    await peer.execute(f"VACUUM ANALYZE {PEER}")
    return int(await peer.fetchval(f"SELECT count(*) FROM {PEER}"))


async def _parts(stream: Any) -> AsyncIterator[bytes]:
    with stream:
        while part := stream.read(_PART_BYTES):
            yield part
