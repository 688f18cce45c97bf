"""The tables of metrics that ClickHouse derives from facts, for tests that write their rows themselves."""

from clickhouse.metrics.definition import read_definitions
from clickhouse.metrics.versions import qualified_table
from common.settings import Settings

DEFINITIONS = read_definitions()


def writable(settings: Settings, table: str) -> str:
    """Return the table that holds a metric's rows; another table's name is returned unchanged."""
    if table not in DEFINITIONS:
        return table
    return qualified_table(settings.clickhouse_database, table, DEFINITIONS[table].version)
