"""Reads and writes whether the demo is enabled, and its people."""

from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)


async def set_demo(tx: Transaction, enabled: bool) -> None:
    """Enable or disable the demo."""
    await tx.sql.execute(SQL["enable_demo"] if enabled else SQL["disable_demo"])


async def lock_demo(tx: Transaction) -> bool:
    """Lock the demo, and return whether it is available."""
    await tx.sql.execute(SQL["lock_demo"])
    return await is_demo_available(tx.sql)


async def is_demo_available(sql: Any) -> bool:
    """Return whether the demo is enabled and no real person is registered."""
    available: bool = await sql.fetchval(SQL["is_demo_available"])
    return available


async def find_demo_people(tx: Transaction) -> list[str]:
    """Return the people of the demo who have a session."""
    return [row["user_id"] for row in await tx.sql.fetch(SQL["find_demo_people"])]


async def end_rights(tx: Transaction) -> None:
    """Let nothing that people of the demo made work again, also if the demo is enabled once more."""
    await tx.sql.execute(SQL["end_rights_of_demo"], tx.now)


async def insert_demo_membership(tx: Transaction, user_id: str, seller_id: str) -> None:
    """Make a new demo person the owner of a seller."""
    await tx.sql.execute(SQL["insert_demo_membership"], user_id, seller_id)
