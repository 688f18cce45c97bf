"""Reads and writes the stored responses of a service."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.pruning import prune
from producers.kit.postgres.statements import statement

RETENTION = timedelta(hours=24)
"""After this time a key may be used again."""

ABANDONED_AFTER = timedelta(seconds=30)
"""An attempt that has changed nothing after this time has failed: a retry begins again."""

PRUNE_RESPONSES = """
DELETE FROM stored_responses
WHERE id IN (SELECT id FROM stored_responses WHERE begun_at < now() - $1::interval LIMIT $2::integer)
"""
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


@statement("""
    INSERT INTO stored_responses AS stored (id, request_sha256)
    VALUES ($request_id::bytea, $digest::bytea)
    ON CONFLICT (id) DO UPDATE SET attempt = stored.attempt + 1, begun_at = now()
    WHERE stored.status IS NULL
        AND stored.committed_at IS NULL
        AND stored.begun_at < now() - $after::interval
        AND stored.request_sha256 = excluded.request_sha256
    RETURNING attempt
""")
async def begin_attempt(
    sql: Any, request_id: bytes, digest: bytes, after: timedelta = ABANDONED_AFTER
) -> int | None:
    """Begin a request; return the number of the attempt, or None if the request was sent before.

    Another attempt begins if the last one has changed nothing and is abandoned.
    """


@statement("""
    SELECT request_sha256, committed_at IS NOT NULL AS is_committed,
        begun_at < now() - $after::interval AS is_abandoned, status, response
    FROM stored_responses
    WHERE id = $request_id::bytea
""")
async def find_stored(
    sql: Any, request_id: bytes, after: timedelta = ABANDONED_AFTER
) -> StoredRequest | None:
    """Return a request that was sent before; None if it was released or pruned meanwhile."""


@statement("""
    UPDATE stored_responses SET committed_at = now()
    WHERE id = $request_id::bytea AND attempt = $attempt::integer AND status IS NULL
    RETURNING true
""")
async def mark_committed(sql: Any, request_id: bytes, attempt: int) -> bool:
    """Record, in the transaction of an attempt's changes, that they commit.

    Returns False if another attempt has replaced this one.
    """


@statement("""
    UPDATE stored_responses SET status = $status::smallint, response = $response::bytea
    WHERE id = $request_id::bytea AND attempt = $attempt::integer AND status IS NULL
""")
async def save_response(sql: Any, request_id: bytes, attempt: int, status: int, response: bytes) -> None:
    """Store the response of an attempt, unless it was replaced by another one."""


@statement("""
    DELETE FROM stored_responses
    WHERE id = $request_id::bytea AND attempt = $attempt::integer AND status IS NULL AND committed_at IS NULL
""")
async def release_attempt(sql: Any, request_id: bytes, attempt: int) -> None:
    """Forget an attempt, if it has changed nothing, so that the next request with this key begins at once."""


async def prune_responses(service: str, transactions: Transactions) -> None:
    """Delete responses older than `RETENTION`, until cancelled."""
    await prune(f"{service} responses", transactions, PRUNE_RESPONSES, RETENTION)
