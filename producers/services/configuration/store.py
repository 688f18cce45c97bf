"""Reads and writes configuration's tables; each statement is a file in `queries/`."""

from collections.abc import Mapping
from typing import Any

import orjson

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.services.configuration.model import Version

SQL = load_queries(__file__)


async def lock_setting(tx: Transaction, name: str) -> int:
    """Lock the row of a setting, which is inserted if it is missing; return the setting's version."""
    await tx.sql.execute(SQL["insert_missing_setting"], name)
    version: int = await tx.sql.fetchval(SQL["lock_setting"], name)
    return version


async def find_version(sql: Any, name: str, number: int) -> Version | None:
    """Return one version of a setting; None if there is none, and for version 0."""
    row = await sql.fetchrow(SQL["find_version"], name, number)
    return None if row is None else _version(row)


async def find_current(sql: Any) -> Mapping[str, Version]:
    """Return the newest version of each setting that was changed."""
    return {row["name"]: _version(row) for row in await sql.fetch(SQL["find_current"])}


async def find_history(sql: Any, name: str, before: int | None, limit: int) -> list[Version]:
    """Return at most `limit` versions of a setting that are older than `before`, the newest first."""
    return [_version(row) for row in await sql.fetch(SQL["find_history"], name, before, limit)]


async def add_version(tx: Transaction, name: str, version: Version) -> None:
    """Add the next version of a setting whose row is locked."""
    await tx.sql.execute(
        SQL["add_version"],
        name,
        version.number,
        orjson.dumps(version.value).decode(),
        version.author,
        version.reason,
        version.changed_at,
        version.rolled_back_to,
    )


async def forget_author(tx: Transaction, author: str) -> None:
    """Replace the author of changes by `erased`, because the person was erased."""
    await tx.sql.execute("SELECT forget_author($1::text)", author)


def _version(row: Mapping[str, Any]) -> Version:
    return Version(
        row["version"],
        orjson.loads(row["value"]),
        row["author"],
        row["reason"],
        row["changed_at"],
        row["rolled_back_to"],
    )
