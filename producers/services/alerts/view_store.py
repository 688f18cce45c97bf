"""Reads and writes the saved views; each statement is a file in `queries/`."""

from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.services.alerts.schemas import ViewChoices, ViewResponse

SQL = load_queries(__file__)


async def find_views(sql: Any, seller_id: str) -> list[ViewResponse]:
    """Return the views of a seller as the API shows them, by name."""
    return [_view(row) for row in await sql.fetch(SQL["find_views"], seller_id)]


async def save_view(
    tx: Transaction, view_id: str, seller_id: str, name: str, choices: ViewChoices, limit: int
) -> ViewResponse | None:
    """Save a view of a locked seller, in place of one with its name; return None if it has `limit` others."""
    content = choices.model_dump(by_alias=True, exclude_none=True)
    row = await tx.sql.fetchrow(SQL["save_view"], view_id, seller_id, name, content, tx.now, limit)
    return None if row is None else _view(row)


async def delete_view(tx: Transaction, seller_id: str, view_id: str) -> bool:
    """Delete a view of a seller; return False if it has no such view."""
    return await tx.sql.fetchval(SQL["delete_view"], seller_id, view_id) is not None


def _view(row: Any) -> ViewResponse:
    return {
        "view_id": row["view_id"],
        "name": row["name"],
        "choices": row["choices"],
        "created_at": row["created_at"],
    }
