"""The names of the platform's databases in ClickHouse: facts and views, and internal tables beside them."""

ROWS_SUFFIX = "_rows"
"""Appended to the name of the platform's database: the database of the versions' tables."""


def is_internal(database: str) -> bool:
    """Return whether a database contains tables that only the platform itself reads."""
    return database.lower().endswith(ROWS_SUFFIX)
