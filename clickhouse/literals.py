"""Values as ClickHouse's SQL writes them."""


def quoted(value: str) -> str:
    """A value as an SQL string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
