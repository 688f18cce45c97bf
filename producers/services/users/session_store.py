"""Reads and writes sessions, their refresh tokens, and the revocations of access tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.ids import new_id
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)

PRUNE_SESSIONS = SQL["prune_sessions"]
PRUNE_REVOCATIONS = SQL["prune_revocations"]
"""DELETEs for `producers.kit.postgres.pruning.prune`."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token and its session, both locked."""

    session_id: str
    user_id: str
    expires_at: datetime
    ended_at: datetime | None
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as the person sees it in the list of sessions."""

    address: str
    device: str


async def open_session(
    tx: Transaction,
    user_id: str,
    client: Client,
    opened_at: datetime,
    expires_at: datetime,
    token_sha256: bytes,
) -> str:
    """Open a session with its first refresh token; return its id."""
    session_id = new_id()
    await tx.sql.execute(
        SQL["open_session"],
        session_id,
        user_id,
        client.device,
        client.address,
        opened_at,
        expires_at,
        token_sha256,
    )
    return session_id


async def find_refresh_token(sql: Any, token_sha256: bytes) -> str | None:
    """Return the person of a refresh token."""
    user_id: str | None = await sql.fetchval(SQL["find_refresh_token"], token_sha256)
    return user_id


async def lock_refresh_token(tx: Transaction, token_sha256: bytes) -> RefreshToken | None:
    """Lock and return a refresh token and its session. The person is locked already."""
    row = await tx.sql.fetchrow(SQL["lock_refresh_token"], token_sha256)
    return None if row is None else RefreshToken(*row)


async def replace_refresh_token(
    tx: Transaction, old_sha256: bytes, new_sha256: bytes, now: datetime, expires_at: datetime, address: str
) -> None:
    """Replace a refresh token, and record the use of its session."""
    await tx.sql.execute(SQL["replace_refresh_token"], old_sha256, new_sha256, now, expires_at, address)


async def end_session(tx: Transaction, user_id: str, session_id: str, at: datetime) -> bool:
    """End a session of a person; return False if they have no such session."""
    return await tx.sql.fetchval(SQL["end_session"], user_id, session_id, at) is not None


async def end_sessions(tx: Transaction, user_id: str, at: datetime, but: str | None = None) -> list[str]:
    """End all sessions of a person except one; return the ended ones."""
    return [row["session_id"] for row in await tx.sql.fetch(SQL["end_sessions"], user_id, at, but)]


async def find_sessions(sql: Any, user_id: str, now: datetime) -> list[dict[str, Any]]:
    """Return a person's sessions that have not ended, the last used first."""
    return [dict(row) for row in await sql.fetch(SQL["find_sessions"], user_id, now)]


async def find_all_sessions(sql: Any, user_id: str) -> list[dict[str, Any]]:
    """Return a person's sessions, also those that have ended."""
    return [dict(row) for row in await sql.fetch(SQL["find_all_sessions"], user_id)]


async def revoke_session(tx: Transaction, session_id: str, now: datetime) -> None:
    """Revoke the access tokens of a session."""
    await tx.sql.execute(SQL["revoke_access"], session_id, None, now)


async def revoke_person(tx: Transaction, user_id: str, before: datetime) -> None:
    """Revoke the access tokens that a person got before a moment. The person is locked."""
    await tx.sql.execute(SQL["revoke_access"], None, user_id, before)


async def find_revocations(sql: Any, after: int) -> list[dict[str, Any]]:
    """Return the revocations after a position."""
    return [dict(row) for row in await sql.fetch(SQL["find_revocations"], after)]


async def delete_revocations(tx: Transaction, user_id: str) -> None:
    """Delete the revocations that name a person, not those that name one of their sessions."""
    await tx.sql.execute(SQL["delete_revocations"], user_id)
