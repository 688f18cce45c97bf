"""Reads and writes which sellers a person follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class FollowedSeller:
    """A seller, and since when a person follows them."""

    seller_id: str
    followed_at: datetime


async def find_followed(sql: Any, user_id: str) -> Sequence[FollowedSeller]:
    """Return the sellers that a person follows, the newest first."""
    return [FollowedSeller(*row) for row in await sql.fetch(SQL["find_followed_sellers"], user_id)]


async def is_approved(sql: Any, seller_id: str) -> bool:
    """Return whether a seller may sell now."""
    return bool(await sql.fetchval(SQL["is_approved_seller"], seller_id))


async def save_followed(tx: Transaction, user_id: str, seller_id: str) -> None:
    """Record that a person follows a seller, unless they do already."""
    await tx.sql.execute(SQL["follow_seller"], user_id, seller_id, tx.now)


async def delete_followed(tx: Transaction, user_id: str, seller_id: str) -> None:
    """Record that a person follows a seller no more."""
    await tx.sql.execute(SQL["unfollow_seller"], user_id, seller_id)
