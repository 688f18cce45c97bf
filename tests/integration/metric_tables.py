"""The tables of metrics that ClickHouse derives from facts: tests write their rows, and empty them."""

from clickhouse.client import connect
from clickhouse.databases import ROWS_SUFFIX
from clickhouse.metrics.definition import read_definitions
from clickhouse.metrics.versions import qualified_table
from common.settings import Settings

DEFINITIONS = read_definitions()


def writable(settings: Settings, table: str) -> str:
    """Return the table that holds a metric's rows; another table's name is returned unchanged."""
    if table not in DEFINITIONS:
        return table
    return qualified_table(settings.clickhouse_database, table, DEFINITIONS[table].version)


def emptied(settings: Settings) -> Settings:
    """Delete all facts and all rows of metrics; the tables, the views and the versions of metrics stay."""
    database = settings.clickhouse_database
    with connect(settings, admin=True) as admin:
        admin.command(f"TRUNCATE ALL TABLES FROM `{database}` NOT LIKE 'schema_migrations'")
        # A metric's table has its version in its name, after an underscore; the bookkeeping has none.
        admin.command(f"TRUNCATE ALL TABLES FROM `{database}{ROWS_SUFFIX}` LIKE '%\\_%'")
    return settings


def without_metrics(settings: Settings) -> Settings:
    """Delete all facts, all metrics, and all views."""
    database = settings.clickhouse_database
    with connect(settings, admin=True) as admin:
        admin.command(f"DROP DATABASE IF EXISTS `{database}{ROWS_SUFFIX}`")
        # The migrations created some metrics as tables, which the first installation replaces by views.
        views = (
            "SELECT name FROM system.tables WHERE database = currentDatabase() "
            "AND (engine = 'View' OR name IN {metrics:Array(String)})"
        )
        for (view,) in admin.query(views, {"metrics": [*DEFINITIONS]}).result_rows:
            admin.command(f"DROP TABLE `{view}`")
        admin.command(f"TRUNCATE ALL TABLES FROM `{database}` NOT LIKE 'schema_migrations'")
    return settings
