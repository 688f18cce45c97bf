"""Gives each service a PostgreSQL role that owns its schema, and nothing else.

An external server (`postgres_url`) has no such roles: its one role owns all schemas.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from common.postgres_roles import READER, role_name, role_password, scram_verifier
from common.settings import Settings
from producers.kit.postgres.migrate import migrate
from producers.kit.postgres.pool import connect_as_admin
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)


async def migrate_as_admin(
    settings: Settings, schema: str, folders: Mapping[str, Path], private_tables: Sequence[str] = ()
) -> None:
    """Migrate a service's schema as the administrator, then make the service's role its owner.

    The administrator applies migrations because a few of them read the tables of another service. Otherwise a
    service reaches no schema but its own. `private_tables` are those that audits can't read.

    Raises:
        BrokenMigrations: see `migrate`.
    """
    async with _admin_connection(settings, schema) as connection:
        await migrate(connection, schema, folders)
        if not settings.postgres_url:
            await _assign(connection, settings, schema)
            await _grant_to_reader(connection, schema, private_tables)


async def create_schema(settings: Settings, schema: str) -> None:
    """Create a schema for a program that creates its own tables, and the role that owns the schema."""
    async with _admin_connection(settings, schema) as connection:
        await connection.execute(await connection.fetchval(SQL["format_create_schema"], schema))
        if not settings.postgres_url:
            await _assign(connection, settings, schema)


@asynccontextmanager
async def _admin_connection(settings: Settings, schema: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await connect_as_admin(settings, schema)
    try:
        yield connection
    finally:
        connection.terminate()


async def _assign(connection: "asyncpg.Connection[Any]", settings: Settings, schema: str) -> None:
    """Create the role of a schema and make it the owner of all that the schema contains."""
    role = role_name(schema)
    password = role_password(settings.postgres_role_secret.get_secret_value(), role)
    async with connection.transaction():
        await connection.execute(SQL["lock_roles"])
        if not await connection.fetchval(SQL["role_exists"], role):
            await connection.execute(await connection.fetchval(SQL["format_create_role"], role))
        await _run_formatted(connection, "format_role", schema, role, scram_verifier(password))
        await _run_formatted(connection, "format_owner_changes", schema, role)
        await _run_formatted(connection, "format_revocations", schema, role_name("%"), role_name(READER))


async def _grant_to_reader(
    connection: "asyncpg.Connection[Any]", schema: str, private_tables: Sequence[str]
) -> None:
    reader = role_name(READER)
    async with connection.transaction():
        await connection.execute(SQL["lock_roles"])
        if await connection.fetchval(SQL["role_exists"], reader):
            await _run_formatted(connection, "format_reader_grants", schema, reader)
            await _run_formatted(connection, "format_reader_revocations", schema, private_tables, reader)


async def _run_formatted(connection: "asyncpg.Connection[Any]", query: str, *arguments: object) -> None:
    """Execute the statements that a query returns."""
    for row in await connection.fetch(SQL[query], *arguments):
        await connection.execute(row[0])
