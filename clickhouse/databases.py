"""The names of the platform's databases in ClickHouse: facts, views for analysts, and internal tables."""

ROWS_SUFFIX = "_rows"
"""Appended to the name of the platform's database: the database of the versions' tables."""

DEFAULT_DATABASE = "souk"
"""The usual name of the platform's database."""

ANALYTICS = "analytics"
"""The database of the views for analysts."""


def analytics_database(database: str) -> str:
    """Return the name of the database of the views for analysts.

    A second platform on the same ClickHouse, whose database has another name, gets views of its own.
    """
    return ANALYTICS if database == DEFAULT_DATABASE else f"{database}_{ANALYTICS}"


def is_internal(database: str) -> bool:
    """Return whether a database contains tables that only the platform itself reads."""
    return database.lower().endswith(ROWS_SUFFIX)
