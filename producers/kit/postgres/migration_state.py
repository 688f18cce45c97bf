"""Compares the migrations of a service's schema with those that this version of the code expects."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from common.migrations import check_applied, read_migrations
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)


async def check_migrations(connection: Any, folders: Mapping[str, Path]) -> str:
    """Return a note if the schema of a connection has newer migrations than this version; else empty.

    `folders` are the sets of migrations, as for `migrate`.

    Raises:
        NotReady: it has older ones, such as after a backup was restored.
    """
    rows = await connection.fetch(SQL["newest_migrations"])
    newest = {row["migrations_of"]: row["newest"] for row in rows}
    notes = [
        check_applied(f"PostgreSQL ({name})", newest.get(name, 0), _newest_expected(folder))
        for name, folder in folders.items()
    ]
    return "; ".join(note for note in notes if note)


@cache
def _newest_expected(folder: Path) -> int:
    return read_migrations(folder)[-1].number
