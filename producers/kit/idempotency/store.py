"""Reads and writes the stored responses of a service; each statement is a file in `queries/`."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.pruning import prune
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)

RETENTION = timedelta(hours=24)
"""After this time a key may be used again."""

ABANDONED_AFTER = timedelta(seconds=30)
"""An attempt that has changed nothing after this time has failed: a retry begins again."""

PRUNE_RESPONSES = SQL["prune_responses"]
"""A DELETE for `producers.kit.postgres.pruning.prune`."""


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request that was sent before with the same key. Until it has ended, it has no status and response."""

    request_sha256: bytes
    is_committed: bool
    is_abandoned: bool
    """Whether it has not ended within `ABANDONED_AFTER`."""
    status: int | None
    response: bytes | None


async def begin_attempt(sql: Any, request_id: bytes, digest: bytes) -> int | None:
    """Begin a request; return the number of the attempt, or None if the request was sent before."""
    attempt: int | None = await sql.fetchval(SQL["begin_attempt"], request_id, digest, ABANDONED_AFTER)
    return attempt


async def find_stored(sql: Any, request_id: bytes) -> StoredRequest | None:
    """Return a request that was sent before; None if it was released or pruned meanwhile."""
    row = await sql.fetchrow(SQL["find_stored"], request_id, ABANDONED_AFTER)
    return None if row is None else StoredRequest(*row)


async def mark_committed(sql: Any, request_id: bytes, attempt: int) -> bool:
    """Record, in the transaction of an attempt's changes, that they commit.

    Returns False if another attempt has replaced this one.
    """
    return await sql.fetchval(SQL["mark_committed"], request_id, attempt) is not None


async def save_response(sql: Any, request_id: bytes, attempt: int, status: int, response: bytes) -> None:
    """Store the response of an attempt, unless it was replaced by another one."""
    await sql.execute(SQL["save_response"], request_id, attempt, status, response)


async def release_attempt(sql: Any, request_id: bytes, attempt: int) -> None:
    """Forget an attempt, if it has changed nothing."""
    await sql.execute(SQL["release_attempt"], request_id, attempt)


async def prune_responses(service: str, transactions: Transactions) -> None:
    """Delete responses older than `RETENTION`, until cancelled."""
    await prune(f"{service} responses", transactions, PRUNE_RESPONSES, RETENTION)
