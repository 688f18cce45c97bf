"""Numbered SQL files that upgrade a database's schema. Each is applied once, in order, and never changed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from common.errors import SoukError
from common.readiness import NotReady

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

Applied = Mapping[int, tuple[str, str]]
"""The migrations that a database has: number → name, checksum."""


class BrokenMigrations(SoukError):
    """The files contradict each other or the database. The message names the file."""


@dataclass(frozen=True, order=True)
class Migration:
    """One file: its number, its name, its SQL."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """The file's SHA-256 in hexadecimal."""
        return sha256(self.sql.encode()).hexdigest()


def read_migrations(folder: Path) -> list[Migration]:
    """Return all migrations of a folder in order.

    Raises:
        BrokenMigrations: a name is not `NNNN_name.sql`, or a number is missing or used twice.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        named = _NAME.fullmatch(path.name)
        if named is None:
            raise BrokenMigrations(f"{path.name} is not named NNNN_name.sql")
        found.append(Migration(int(named[1]), path.name, path.read_text()))
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            problem = "is a duplicate" if migration.number < expected else f"comes before {expected:04d}"
            raise BrokenMigrations(f"migrations are not numbered consecutively: {migration.name} {problem}")
    return found


def pending(migrations: Sequence[Migration], applied: Applied) -> list[Migration]:
    """Return the migrations that are not in `applied`, in order.

    Raises:
        BrokenMigrations: an applied file has changed or is missing, or a file before an applied one was not
        applied.
    """
    known = {migration.number: migration for migration in migrations}
    for number, (name, checksum) in sorted(applied.items()):
        if (migration := known.get(number)) is None:
            raise BrokenMigrations(
                f"the database has {name}, which this checkout lacks: use a newer checkout"
            )
        if migration.checksum != checksum:
            raise BrokenMigrations(
                f"{migration.name} has changed since it was applied: add a new migration instead"
            )
    left = [migration for migration in migrations if migration.number not in applied]
    if left and applied and left[0].number < max(applied):
        raise BrokenMigrations(f"{left[0].name} was not applied, but later migrations were")
    return left


def check_applied(database: str, newest: int, expected: int) -> str | None:
    """Compare the newest migration of a database with the newest of this version of the code.

    Return a note if the database is newer, else None. That is no failure: migrations are applied before
    processes are replaced, and a version works with the tables of the next one.

    Raises:
        NotReady: the database is older, so that queries would fail.
    """
    if newest < expected:
        raise NotReady(
            f"{database} has migration {newest:04d}, and this version needs {expected:04d}: run ./souk up"
        )
    if newest > expected:
        return f"{database} has migration {newest:04d}, which is newer than {expected:04d} of this version"
    return None
