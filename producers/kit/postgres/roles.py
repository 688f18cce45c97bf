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
from producers.kit.postgres.migrate import format_create_schema, migrate
from producers.kit.postgres.pool import connect

_LOCK_ROLES = "SELECT pg_advisory_xact_lock(hashtextextended('roles', 0))"
"""The lock is held until the transaction ends. Without it, concurrent changes of a role or of a database's
grants fail."""

_ROLE_EXISTS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1::text)"

# These statements return statements. Identifiers can't be parameters, so PostgreSQL's format() quotes them.

_FORMAT_CREATE_ROLE = "SELECT format('CREATE ROLE %I', $1::text)"

_FORMAT_ROLE = """
SELECT format(
    'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L',
    $2::text, $3::text
)
UNION ALL
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), $2::text)
UNION ALL
SELECT format('ALTER SCHEMA %I OWNER TO %I', $1::text, $2::text)
"""
"""Sets the rights and the password of a role ($2, with the SCRAM verifier $3) and makes it the owner of a
schema ($1)."""

_FORMAT_OWNER_CHANGES = """
SELECT format(
    'ALTER %s %I.%I OWNER TO %I',
    CASE relkind
        WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
        WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE'
    END,
    $1::text, relname, $2::text
)
FROM pg_class
WHERE relnamespace = to_regnamespace(quote_ident($1)) AND relowner <> to_regrole(quote_ident($2))
    AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    AND NOT EXISTS (
        SELECT FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND refclassid = 'pg_class'::regclass
            AND relkind = 'S' AND deptype IN ('a', 'i')
    )
UNION ALL
SELECT format('ALTER ROUTINE %s OWNER TO %I', oid::regprocedure, $2::text)
FROM pg_proc
WHERE pronamespace = to_regnamespace(quote_ident($1)) AND proowner <> to_regrole(quote_ident($2))
UNION ALL
SELECT format('ALTER TYPE %I.%I OWNER TO %I', $1::text, typname, $2::text)
FROM pg_type
WHERE typnamespace = to_regnamespace(quote_ident($1)) AND typowner <> to_regrole(quote_ident($2))
    AND typtype IN ('e', 'd', 'r')
"""
"""Makes a role ($2) the owner of everything in a schema ($1) that it does not own yet: objects that a
migration has just created, and the tables of older copies, in which one superuser owned all schemas. Indexes,
and sequences of a column, get the owner of their table."""

_FORMAT_REVOCATIONS = """
SELECT format('REVOKE ALL ON %s %I FROM %I', what, $1::text, rolname)
FROM pg_namespace
CROSS JOIN aclexplode(nspacl) AS granted
JOIN pg_roles ON pg_roles.oid = granted.grantee
CROSS JOIN unnest(ARRAY['ALL TABLES IN SCHEMA', 'ALL FUNCTIONS IN SCHEMA', 'SCHEMA']) AS what
WHERE nspname = $1 AND granted.grantee <> nspowner AND rolname LIKE $2::text AND rolname <> $3::text
ORDER BY what
"""
"""Takes from the roles of other services (LIKE $2), but not from audits ($3), what earlier versions granted
them in a schema ($1)."""

_FORMAT_READER_GRANTS = """
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', $1::text, $2::text)
UNION ALL
SELECT format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', $1::text, $2::text)
"""
"""Lets a role ($2) read a schema ($1)."""

_FORMAT_READER_REVOCATIONS = """
SELECT format('REVOKE SELECT ON %I.%I FROM %I', $1::text, name, $3::text) FROM unnest($2::text[]) AS name
"""
"""Hides some tables ($2) of a schema ($1) from a role ($3)."""


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
        await connection.execute(await format_create_schema(connection, schema))
        if not settings.postgres_url:
            await _assign(connection, settings, schema)


@asynccontextmanager
async def _admin_connection(settings: Settings, schema: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await connect(settings, schema, as_admin=True)
    try:
        yield connection
    finally:
        connection.terminate()


async def _assign(connection: "asyncpg.Connection[Any]", settings: Settings, schema: str) -> None:
    """Create the role of a schema and make it the owner of all that the schema contains."""
    role = role_name(schema)
    password = role_password(settings.postgres_role_secret.get_secret_value(), role)
    async with connection.transaction():
        await connection.execute(_LOCK_ROLES)
        if not await connection.fetchval(_ROLE_EXISTS, role):
            await connection.execute(await connection.fetchval(_FORMAT_CREATE_ROLE, role))
        await _run_formatted(connection, _FORMAT_ROLE, schema, role, scram_verifier(password))
        await _run_formatted(connection, _FORMAT_OWNER_CHANGES, schema, role)
        await _run_formatted(connection, _FORMAT_REVOCATIONS, schema, role_name("%"), role_name(READER))


async def _grant_to_reader(
    connection: "asyncpg.Connection[Any]", schema: str, private_tables: Sequence[str]
) -> None:
    reader = role_name(READER)
    async with connection.transaction():
        await connection.execute(_LOCK_ROLES)
        if await connection.fetchval(_ROLE_EXISTS, reader):
            await _run_formatted(connection, _FORMAT_READER_GRANTS, schema, reader)
            await _run_formatted(connection, _FORMAT_READER_REVOCATIONS, schema, private_tables, reader)


async def _run_formatted(connection: "asyncpg.Connection[Any]", query: str, *arguments: object) -> None:
    """Execute the statements that a query returns."""
    for row in await connection.fetch(query, *arguments):
        await connection.execute(row[0])
