"""Literals of ClickHouse's SQL."""


def quoted(value: str) -> str:
    """Return a value as an SQL string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
