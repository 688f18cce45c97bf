"""Reads and writes registrations whose e-mail address is not verified yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)

PRUNE_REGISTRATIONS = SQL["prune_registrations"]
"""A DELETE for `producers.kit.postgres.pruning.prune`."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration whose e-mail address is not verified yet."""

    email: str
    name: str
    password_hash: str


async def insert_registration(
    tx: Transaction, token_sha256: bytes, registration: Registration, expires_at: datetime
) -> None:
    """Save a registration until its e-mail address is verified."""
    await tx.sql.execute(
        SQL["insert_registration"],
        token_sha256,
        registration.email,
        registration.name,
        registration.password_hash,
        tx.now,
        expires_at,
    )


async def find_registration(sql: Any, token_sha256: bytes, now: datetime) -> Registration | None:
    """Return the registration of a token; None if the token was used or has expired."""
    row = await sql.fetchrow(SQL["find_registration"], token_sha256, now)
    return None if row is None else Registration(*row)


async def take_registration(tx: Transaction, token_sha256: bytes) -> bool:
    """Delete the registration of a token; return False if the token was used or has expired."""
    return await tx.sql.fetchval(SQL["take_registration"], token_sha256, tx.now) is not None


async def renew_registration(
    tx: Transaction, old_sha256: bytes, new_sha256: bytes, expires_at: datetime
) -> None:
    """Replace the token of a registration."""
    await tx.sql.execute(SQL["renew_registration"], old_sha256, new_sha256, expires_at)


async def delete_registrations(tx: Transaction, email: str) -> None:
    """Delete all registrations of an e-mail address."""
    await tx.sql.execute(SQL["delete_registrations"], email)
