"""Reads and writes attempts to sign in, and the throttles that slow down guesses."""

from collections.abc import Iterable, Sequence
from typing import Any

from common.ids import new_id
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.services.users.model import Throttle
from producers.services.users.session_store import Client

SQL = load_queries(__file__)

PRUNE_THROTTLES = SQL["prune_throttles"]
PRUNE_SIGN_INS = SQL["prune_sign_ins"]
"""DELETEs for `producers.kit.postgres.pruning.prune`."""


async def lock_throttles(tx: Transaction, free_failures: dict[bytes, int]) -> list[Throttle]:
    """Lock and return the throttles of subjects (subject → failures without a delay), in one order."""
    subjects = sorted(free_failures)
    await tx.sql.execute(SQL["insert_missing_throttles"], subjects, tx.now)
    rows = await tx.sql.fetch(SQL["lock_throttles"], subjects)
    return [Throttle(row["subject"], free_failures[row["subject"]], *tuple(row)[1:]) for row in rows]


async def save_throttles(tx: Transaction, throttles: Iterable[Throttle]) -> None:
    """Save locked throttles."""
    saved = list(throttles)
    await tx.sql.execute(
        SQL["save_throttles"],
        [each.subject for each in saved],
        [each.failures for each in saved],
        [each.blocked_until for each in saved],
        [each.last_attempt_at for each in saved],
    )


async def clear_throttles(tx: Transaction, subjects: Sequence[bytes]) -> None:
    """Delete throttles."""
    await tx.sql.execute(SQL["clear_throttles"], list(subjects))


async def insert_sign_in(tx: Transaction, user_id: str | None, client: Client) -> str:
    """Record an attempt to sign in; return its id."""
    sign_in_id = new_id()
    await tx.sql.execute(SQL["insert_sign_in"], sign_in_id, user_id, tx.now, client.address, client.device)
    return sign_in_id


async def set_sign_in_succeeded(tx: Transaction, sign_in_id: str) -> None:
    """Record that an attempt to sign in has succeeded."""
    await tx.sql.execute(SQL["set_sign_in_succeeded"], sign_in_id)


async def find_sign_ins(sql: Any, user_id: str) -> list[dict[str, Any]]:
    """Return a person's attempts to sign in."""
    return [dict(row) for row in await sql.fetch(SQL["find_sign_ins"], user_id)]
