"""Stores points. Every statement is a file of `queries/`."""

from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)


async def add_points(tx: Transaction, order_id: str, shopper_id: str, points: int) -> None:
    """Store the points of an order, once."""
    await tx.sql.execute(SQL["add_points"], order_id, shopper_id, points)


async def find_points(sql: Any, shopper_id: str) -> int | None:
    """Return a shopper's points; None if the shopper never earned any."""
    points: int | None = await sql.fetchval(SQL["find_points"], shopper_id)
    return points
