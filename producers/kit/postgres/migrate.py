"""Migrates a service's schema, and compares its migrations with those that this version expects."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from common.migrations import Applied, BrokenMigrations, Migration, check_applied, pending, read_migrations
from producers.kit.postgres.statements import statement

log = structlog.get_logger()

_CREATE_SCHEMA_MIGRATIONS = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    migrations_of text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (migrations_of, number)
)
"""
"""The migrations that were applied to a schema. `sha256` is the digest of the file at that time."""


async def migrate(connection: "asyncpg.Connection[Any]", schema: str, folders: Mapping[str, Path]) -> None:
    """Create the schema and apply the pending migrations of each set (name of the set → its folder).

    Each migration and its record are committed in one transaction. Concurrent runs are safe: the second waits
    for the first.

    Raises:
        BrokenMigrations: the files contradict each other or the migrations that were applied before.
    """
    async with connection.transaction():
        await _lock(connection, schema)
        await connection.execute(await format_create_schema(connection, schema))
        await connection.execute(_CREATE_SCHEMA_MIGRATIONS)
        for name, folder in folders.items():
            rows = await _find_applied(connection, name)
            applied: Applied = {row["number"]: (row["name"], row["sha256"]) for row in rows}
            for migration in pending(read_migrations(folder), applied):
                await _apply(connection, name, migration)
                log.info("migrated", schema=schema, of=name, migration=migration.name)


async def _apply(connection: "asyncpg.Connection[Any]", of: str, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql)
    except asyncpg.SyntaxOrAccessError as error:
        raise BrokenMigrations(f"{migration.name} failed: {error}") from error
    await _record(connection, of, migration)


async def check_migrations(connection: Any, folders: Mapping[str, Path]) -> str:
    """Return a note if the schema of a connection has newer migrations than this version; else empty.

    `folders` are the sets of migrations, as for `migrate`.

    Raises:
        NotReady: it has older ones, such as after a backup was restored.
    """
    newest = await _find_newest(connection)
    notes = [
        check_applied(f"PostgreSQL ({name})", newest.get(name, 0), _newest_expected(folder))
        for name, folder in folders.items()
    ]
    return "; ".join(note for note in notes if note)


@cache
def _newest_expected(folder: Path) -> int:
    return read_migrations(folder)[-1].number


@statement("SELECT pg_advisory_xact_lock(hashtextextended('migrations of ' || $schema::text, 0))")
async def _lock(connection: Any, schema: str) -> None:
    """Wait until no other process migrates the schema, and lock it until the transaction ends."""


@statement("SELECT format('CREATE SCHEMA IF NOT EXISTS %I', $schema::text)")
async def format_create_schema(connection: Any, schema: str) -> str:
    """Return the statement that creates a schema. An identifier can't be a parameter of a statement."""


@statement("SELECT number, name, sha256 FROM schema_migrations WHERE migrations_of = $of::text")
async def _find_applied(connection: Any, of: str) -> list[dict[str, Any]]:
    """Return number, name and digest of the migrations of a set that were applied."""


@statement("""
    INSERT INTO schema_migrations (migrations_of, number, name, sha256)
    VALUES ($of::text, $migration.number::integer, $migration.name::text, $migration.checksum::text)
""")
async def _record(connection: Any, of: str, migration: Migration) -> None:
    """Record that a migration was applied."""


@statement("SELECT migrations_of, max(number) FROM schema_migrations GROUP BY migrations_of")
async def _find_newest(connection: Any) -> dict[str, int]:
    """Return the number of the newest migration of each set, by the name of the set."""
