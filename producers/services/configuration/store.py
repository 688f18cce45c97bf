"""Reads and writes configuration's tables."""

from typing import Any

from producers.kit.erasures import Erasure
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.configuration.model import Version


@statement("""
    INSERT INTO settings (name, version) VALUES ($name::text, 0)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name
    RETURNING version
""")
async def lock_setting(tx: Transaction, name: str) -> int:
    """Lock the row of a setting, which is inserted if it is missing; return the setting's version."""


@statement("""
    SELECT version, value, author, reason, changed_at, rolled_back_to
    FROM versions
    WHERE name = $name::text AND version = $number::bigint
""")
async def find_version(sql: Any, name: str, number: int) -> Version | None:
    """Return one version of a setting; None if there is none, and for version 0."""


@statement("""
    SELECT versions.name, versions.version, value, author, reason, changed_at, rolled_back_to
    FROM settings
    JOIN versions ON versions.name = settings.name AND versions.version = settings.version
""")
async def find_current(sql: Any) -> dict[str, Version]:
    """Return the newest version of each setting that was changed, by name."""


@statement("""
    SELECT version, value, author, reason, changed_at, rolled_back_to
    FROM versions
    WHERE name = $name::text AND ($before::bigint IS NULL OR version < $before::bigint)
    ORDER BY version DESC
    LIMIT $limit::integer
""")
async def find_history(sql: Any, name: str, before: int | None, limit: int) -> list[Version]:
    """Return at most `limit` versions of a setting that are older than `before`, the newest first."""


@statement("""
    WITH changed AS (
        UPDATE settings SET version = $version.version::bigint WHERE name = $name::text
    )
    INSERT INTO versions (name, version, value, author, reason, changed_at, rolled_back_to)
    VALUES (
        $name::text, $version.version::bigint, $version.value::jsonb, $version.author::text,
        $version.reason::text, $version.changed_at::timestamptz, $version.rolled_back_to::bigint
    )
""")
async def add_version(tx: Transaction, name: str, version: Version) -> None:
    """Add the next version of a setting whose row is locked."""


@statement("SELECT forget_author($erased.user_id::uuid::text)")
async def forget_author(tx: Transaction, erased: Erasure) -> None:
    """Replace the author of changes by `erased`, because the person was erased."""
