"""Reads and writes the keys that sign access tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A signing key. The private part is None if the key signs no more."""

    kid: str
    public_jwk: str
    sealed_private_jwk: bytes | None
    signs_from: datetime


async def find_signing_keys(sql: Any) -> list[StoredKey]:
    """Return all signing keys, the oldest first."""
    return [StoredKey(*row) for row in await sql.fetch(SQL["find_signing_keys"])]


async def lock_signing_keys(tx: Transaction) -> None:
    """Let no other transaction change the keys until this one has ended."""
    await tx.sql.execute(SQL["lock_signing_keys"])


async def insert_signing_key(tx: Transaction, key: StoredKey) -> None:
    """Save a new signing key."""
    await tx.sql.execute(
        SQL["insert_signing_key"], key.kid, key.public_jwk, key.sealed_private_jwk, key.signs_from
    )


async def retire_signing_keys(tx: Transaction, no_private: Sequence[str], deleted: Sequence[str]) -> None:
    """Delete the private parts of some keys, and other keys completely."""
    await tx.sql.execute(SQL["delete_private_keys"], list(no_private))
    await tx.sql.execute(SQL["delete_signing_keys"], list(deleted))
