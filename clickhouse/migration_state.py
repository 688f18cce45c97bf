"""Compares the migrations that ClickHouse has with those that this version of the code expects."""

from functools import cache
from pathlib import Path

from common.migrations import check_applied, read_migrations

FOLDER = Path(__file__).parent / "migrations"

NEWEST_APPLIED = Path(__file__).with_name("newest_migration.sql").read_text(encoding="utf-8")


def check_migrations(newest: int) -> str | None:
    """Compare ClickHouse's newest migration with that of this version; see `check_applied`."""
    return check_applied("ClickHouse", newest, _newest_expected())


@cache
def _newest_expected() -> int:
    return read_migrations(FOLDER)[-1].number
