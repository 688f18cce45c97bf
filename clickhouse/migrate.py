"""Applies migrations: numbered SQL files, each applied once, in order, and never changed afterwards."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse import query_files, views
from clickhouse.analytics import catalogue
from clickhouse.client import connect
from clickhouse.metrics.definition import MetricDefinition, read_definitions
from clickhouse.metrics.versions import MetricVersions
from clickhouse.migration_lock import migration_lock
from clickhouse.migration_state import FOLDER
from clickhouse.sql_guard.statement import tokens
from common.errors import UserError
from common.file_lock import file_lock
from common.migrations import Applied, BrokenMigrations, Migration, pending, read_migrations
from common.money import minor_digits
from common.settings import Settings

_WITHOUT_DECIMALS = frozenset(
    ["AFN", "ALL", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"]
)
"""Currencies whose amounts version 0.1.0 and earlier stored without decimals, unlike ISO 4217."""


def check_minor_digits(client: Client, currency: str) -> None:
    """Store the decimals of the shop's currency at the first call, and compare them at later ones.

    Stored amounts are integers in minor units. A release with other decimals for the shop's currency would
    read all of them as amounts that are ten, a hundred or a thousand times as high or low.

    Raises:
        UserError: the amounts of this currency are stored with other decimals.
    """
    if not client.command("EXISTS TABLE stored_minor_digits"):
        return  # without the migration, there are no amounts
    stored = client.query(
        "SELECT digits FROM stored_minor_digits FINAL WHERE currency = {currency:String}",
        {"currency": currency},
    ).result_rows
    digits = stored[0][0] if stored else _first_digits(client, currency)
    if digits != minor_digits(currency):
        raise UserError(
            f"amounts in {currency} are stored with {digits} decimals here, and ISO 4217 has "
            f"{minor_digits(currency)}: set SOUK_HOME to a new directory, and import the shop's tables again"
        )
    if not stored:
        client.insert("stored_minor_digits", [[currency, digits]], column_names=["currency", "digits"])


def _first_digits(client: Client, currency: str) -> int:
    query = "SELECT 1 FROM order_placed WHERE currency = {currency:String} LIMIT 1"
    was_without = currency in _WITHOUT_DECIMALS and client.query(query, {"currency": currency}).result_rows
    return 0 if was_without else minor_digits(currency)


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

    `metrics` defaults to those of `clickhouse/metrics/`. A second run changes nothing. Between migrations and
    views, another run may get the lock.

    Raises: see `apply_migrations` and `install_views`.
    """
    applied = apply_migrations(settings, folder)
    install_views(settings, queries, metrics, analytics)
    return applied


def apply_migrations(settings: Settings, folder: Path = FOLDER) -> list[str]:
    """Apply the pending migrations; return the names of the applied files.

    Raises:
        BrokenMigrations: see `read_migrations` and `pending`.
        PartUnavailable: ClickHouse does not answer, or another home holds the migration lock for too long.
    """
    migrations = read_migrations(folder)
    with exclusive_client(settings) as client:
        missing = list(pending(migrations, _applied(client)))
        for migration in missing:
            _apply(client, migration)
    return [migration.name for migration in missing]


def install_views(
    settings: Settings,
    queries: Path = query_files.FOLDER,
    metrics: Mapping[str, MetricDefinition] | None = None,
    analytics: Path = catalogue.FOLDER,
) -> None:
    """Bring the metrics, the query views and the views for analysts to the versions of this checkout.

    A metric whose definition has changed is filled from the facts first. Apply the migrations before.

    Raises:
        BrokenView: ClickHouse refuses a query as a view, or a view for analysts.
        UserError: the shop's amounts are stored with other decimals than its currency has.
        PartUnavailable: ClickHouse does not answer, or another home holds the migration lock for too long.
    """
    with exclusive_client(settings) as client:
        check_minor_digits(client, settings.shop_currency)
        MetricVersions(client).install((read_definitions() if metrics is None else metrics).values())
        views.install_queries(client, queries)
        views.install_analytics(client, catalogue.read_views(analytics))


@contextmanager
def exclusive_client(settings: Settings) -> Iterator[Client]:
    """Yield a client of the database, which it creates, while no other run changes the tables.

    Several homes may share a ClickHouse. A migration that exchanges tables must not run twice.

    Raises:
        PartUnavailable: ClickHouse does not answer, or another home holds the migration lock for too long.
    """
    with (
        connect(settings, admin=True, database="default") as client,
        file_lock(settings.home / "migrations.lock"),
    ):
        client.command(f"CREATE DATABASE IF NOT EXISTS `{settings.clickhouse_database}`")
        client.database = settings.clickhouse_database
        with migration_lock(client, settings):
            yield client


def _applied(client: Client) -> Applied:
    try:
        query = "SELECT number, name, sha256 FROM schema_migrations FINAL ORDER BY number"
        return {number: (name, checksum) for number, name, checksum in client.query(query).result_rows}
    except DatabaseError as error:
        if _TABLE_MISSING.search(str(error)):
            return {}
        raise


def _apply(client: Client, migration: Migration) -> None:
    for statement in split_statements(migration.sql):
        try:
            client.command(statement)
        except DatabaseError as error:
            raise BrokenMigrations(
                f"{migration.name} failed at «{statement.split(chr(10))[0]}»: "
                f"{str(error).strip().splitlines()[0]}"
            ) from error
    client.insert(
        "schema_migrations",
        [[migration.number, migration.name, migration.checksum]],
        column_names=["number", "name", "sha256"],
        column_type_names=["UInt32", "String", "String"],  # else the client asks the server for them
    )
