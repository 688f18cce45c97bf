"""Brings a database to the newest schema: numbered files, applied once and in order, never changed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse import views
from clickhouse.client import connect
from clickhouse.front.statement import tokens
from common.errors import SoukError
from common.settings import Settings

log = structlog.get_logger()

FOLDER = Path(__file__).parent / "migrations"

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_UNKNOWN = re.compile(r"\b(?:UNKNOWN_TABLE|UNKNOWN_DATABASE)\b")


class BrokenMigrations(SoukError):
    """The files do not fit together, or do not fit what the database has had; the message names the file."""


@dataclass(frozen=True, order=True)
class Migration:
    """One file: its number, its name, its SQL."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file."""
        return sha256(self.sql.encode()).hexdigest()

    def statements(self) -> Iterator[str]:
        """The file's statements, one by one, without their semicolons."""
        yield from split_statements(self.sql)


def split_statements(sql: str) -> Iterator[str]:
    """The statements of an SQL text; a semicolon inside a string, a comment or brackets ends none."""
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


def read_migrations(folder: Path = FOLDER) -> list[Migration]:
    """All migrations in order.

    Raises:
        BrokenMigrations: a name is not `NNNN_name.sql`, or a number is missing or there twice.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        named = _NAME.fullmatch(path.name)
        if named is None:
            raise BrokenMigrations(f"{path.name} is not named NNNN_name.sql")
        found.append(Migration(int(named[1]), path.name, path.read_text()))
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            problem = "is there twice" if migration.number < expected else f"comes before {expected:04d}"
            raise BrokenMigrations(f"migrations are not numbered one by one: {migration.name} {problem}")
    return found


def pending(migrations: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> list[Migration]:
    """The migrations that a database with `applied` (number → name, checksum) still needs.

    Raises:
        BrokenMigrations: an applied file has changed or is gone, or an earlier one was never applied.
    """
    known = {migration.number: migration for migration in migrations}
    for number, (name, checksum) in sorted(applied.items()):
        migration = known.get(number)
        if migration is None:
            raise BrokenMigrations(f"the database has had {name}, which is not here: use a newer checkout")
        if migration.checksum != checksum:
            raise BrokenMigrations(
                f"{migration.name} has changed since it was applied: add a new migration instead"
            )
    left = [migration for migration in migrations if migration.number not in applied]
    if left and applied and left[0].number < max(applied):
        raise BrokenMigrations(f"{left[0].name} was never applied, though later ones were")
    return left


def migrate(settings: Settings, folder: Path = FOLDER, queries: Path = views.FOLDER) -> list[str]:
    """Apply what is missing, install the query views, and return the names of the applied files.

    Running twice changes nothing. Two runs at once are harmless: who finds that the other was faster goes on.

    Raises:
        BrokenMigrations: see `read_migrations` and `pending`.
        BrokenQuery: a query can't be a view.
        PartUnavailable: ClickHouse does not answer.
    """
    migrations = read_migrations(folder)
    client = connect(settings, admin=True, database="default")
    database = settings.clickhouse_database
    try:
        client.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        client.database = database
        done = []
        for migration in pending(migrations, _applied(client)):
            if _apply(client, migration):
                done.append(migration.name)
                log.info("migrated", migration=migration.name)
        views.install(client, queries)
        return done
    finally:
        client.close()


def _applied(client: Client) -> dict[int, tuple[str, str]]:
    try:
        rows = client.query(
            "SELECT number, name, sha256 FROM schema_migrations FINAL ORDER BY number"
        ).result_rows
    except DatabaseError as error:
        if _UNKNOWN.search(str(error)):
            return {}
        raise
    return {number: (name, checksum) for number, name, checksum in rows}


def _apply(client: Client, migration: Migration) -> bool:
    """Apply one migration; False when another run has just done it."""
    for statement in migration.statements():
        try:
            client.command(statement)
        except DatabaseError as error:
            if migration.number in _applied(client):
                return False
            reason = str(error).strip().splitlines()[0]
            raise BrokenMigrations(
                f"{migration.name} failed at «{statement.split(chr(10))[0]}»: {reason}"
            ) from error
    row = [migration.number, migration.name, migration.checksum]
    client.insert("schema_migrations", [row], column_names=["number", "name", "sha256"])
    return True
