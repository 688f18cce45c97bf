"""Reads and writes the points of shoppers."""

from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.loyalty.model import Points
from schemas.codec import Record


@statement("""
    INSERT INTO points (order_id, shopper_id, points)
    VALUES ($event.order_id::uuid, $event.shopper_id::text, $points::bigint)
    ON CONFLICT (order_id) DO NOTHING
""")
async def add_points(tx: Transaction, event: Record, points: int) -> None:
    """Store the points of an order, once."""


@statement("""
    SELECT shopper_id, sum(points)::bigint AS points
    FROM points
    WHERE shopper_id = $shopper_id::text
    GROUP BY shopper_id
""")
async def find_points(sql: Any, shopper_id: str) -> Points | None:
    """Return a shopper's points; None if the shopper never earned any."""
