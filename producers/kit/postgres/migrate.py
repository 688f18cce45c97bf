"""Migrates a service's schema; each migration and its record are committed in one transaction."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from common.migrations import Applied, BrokenMigrations, Migration, pending, read_migrations
from producers.kit.postgres.queries import load_queries

log = structlog.get_logger()

SQL = load_queries(__file__)


async def migrate(connection: "asyncpg.Connection[Any]", schema: str, folders: Mapping[str, Path]) -> None:
    """Create the schema and apply the pending migrations of each set (name of the set → its folder).

    Concurrent runs are safe: the second waits for the first.

    Raises:
        BrokenMigrations: the files contradict each other or the migrations that were applied before.
    """
    async with connection.transaction():
        await connection.execute(SQL["lock_migrations"], schema)
        await connection.execute(await connection.fetchval(SQL["format_create_schema"], schema))
        await connection.execute(SQL["create_schema_migrations"])
        for name, folder in folders.items():
            rows = await connection.fetch(SQL["find_applied_migrations"], name)
            applied: Applied = {row["number"]: (row["name"], row["sha256"]) for row in rows}
            for migration in pending(read_migrations(folder), applied):
                await _apply(connection, name, migration)
                log.info("migrated", schema=schema, of=name, migration=migration.name)


async def _apply(connection: "asyncpg.Connection[Any]", of: str, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql)
    except asyncpg.SyntaxOrAccessError as error:
        raise BrokenMigrations(f"{migration.name} failed: {error}") from error
    record = (of, migration.number, migration.name, migration.checksum)
    await connection.execute(SQL["record_migration"], *record)
