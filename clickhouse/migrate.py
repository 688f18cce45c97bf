"""Applies migrations: numbered SQL files, each applied once, in order, and never changed afterwards."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse import query_files, views
from clickhouse.analytics import catalogue, installation
from clickhouse.client import connect
from clickhouse.metrics.definition import MetricDefinition, read_definitions
from clickhouse.metrics.versions import MetricVersions
from clickhouse.migration_lock import migration_lock
from clickhouse.migration_state import FOLDER
from clickhouse.sql_guard.statement import tokens
from clickhouse.stored_minor_digits import check_minor_digits
from common.file_lock import file_lock
from common.migrations import Applied, BrokenMigrations, Migration, pending, read_migrations
from common.settings import Settings

_TABLE_MISSING = re.compile(r"\b(?:UNKNOWN_TABLE|UNKNOWN_DATABASE)\b")


def split_statements(sql: str) -> Iterator[str]:
    """Yield the statements of an SQL text, split at semicolons outside strings, comments and brackets."""
    text, start = sql.encode(), None
    end = 0
    for token in tokens(text):
        if token.kind == "sign" and token.text == b";" and token.depth == 0:
            if start is not None:
                yield text[start:end].decode()
            start = None
        else:
            start, end = token.start if start is None else start, token.end
    if start is not None:
        yield text[start:end].decode()


def migrate(
    settings: Settings,
    folder: Path = FOLDER,
    queries: Path = query_files.FOLDER,
    metrics: Mapping[str, MetricDefinition] | None = None,
    analytics: Path = catalogue.FOLDER,
) -> list[str]:
    """Apply the pending migrations, install metrics and views; return the names of the applied files.

    `metrics` defaults to those of `clickhouse/metrics/`. A second run changes nothing.

    Raises: see `apply_migrations` and `install_views`.
    """
    migrations = read_migrations(folder)
    with exclusive_client(settings) as client:
        applied = _apply_pending(client, migrations)
        check_minor_digits(client, settings.shop_currency)
        _install_views(client, queries, metrics, analytics)
    return applied


def apply_migrations(settings: Settings, folder: Path = FOLDER) -> list[str]:
    """Apply the pending migrations; return the names of the applied files.

    Raises:
        BrokenMigrations: see `read_migrations` and `pending`.
        PartUnavailable: ClickHouse does not answer, or another home holds the migration lock for too long.
    """
    migrations = read_migrations(folder)
    with exclusive_client(settings) as client:
        return _apply_pending(client, migrations)


def install_views(
    settings: Settings,
    queries: Path = query_files.FOLDER,
    metrics: Mapping[str, MetricDefinition] | None = None,
    analytics: Path = catalogue.FOLDER,
) -> None:
    """Bring the metrics, the query views and the views for analysts to the versions of this checkout.

    A metric whose definition has changed is filled from the facts first. Apply the migrations before.

    Raises:
        BrokenQuery: ClickHouse refuses a query as a view.
        BrokenView: ClickHouse refuses a view for analysts.
        UserError: the shop's amounts are stored with other decimals than its currency has.
        PartUnavailable: ClickHouse does not answer, or another home holds the migration lock for too long.
    """
    with exclusive_client(settings) as client:
        check_minor_digits(client, settings.shop_currency)
        _install_views(client, queries, metrics, analytics)


@contextmanager
def exclusive_client(settings: Settings) -> Iterator[Client]:
    """Yield a client of the database, which it creates, while no other run changes the tables.

    Several homes may share a ClickHouse. A migration that exchanges tables must not run twice.

    Raises:
        PartUnavailable: ClickHouse does not answer, or another home holds the migration lock for too long.
    """
    client = connect(settings, admin=True, database="default")
    database = settings.clickhouse_database
    try:
        with file_lock(settings.home / "migrations.lock"):
            client.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
            client.database = database
            with migration_lock(client, settings):
                yield client
    finally:
        client.close()


def _apply_pending(client: Client, migrations: Sequence[Migration]) -> list[str]:
    done = []
    for migration in pending(migrations, _applied(client)):
        _apply(client, migration)
        done.append(migration.name)
    return done


def _install_views(
    client: Client, queries: Path, metrics: Mapping[str, MetricDefinition] | None, analytics: Path
) -> None:
    definitions = read_definitions() if metrics is None else metrics
    MetricVersions(client).install(definitions.values())
    views.install(client, queries)
    installation.install(client, catalogue.read_views(analytics))


def _applied(client: Client) -> Applied:
    try:
        rows = client.query(
            "SELECT number, name, sha256 FROM schema_migrations FINAL ORDER BY number"
        ).result_rows
    except DatabaseError as error:
        if _TABLE_MISSING.search(str(error)):
            return {}
        raise
    return {number: (name, checksum) for number, name, checksum in rows}


def _apply(client: Client, migration: Migration) -> None:
    for statement in split_statements(migration.sql):
        try:
            client.command(statement)
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            raise BrokenMigrations(
                f"{migration.name} failed at «{statement.split(chr(10))[0]}»: {reason}"
            ) from error
    row = [migration.number, migration.name, migration.checksum]
    client.insert(
        "schema_migrations",
        [row],
        column_names=["number", "name", "sha256"],
        column_type_names=["UInt32", "String", "String"],  # else the client asks the server for them
    )
