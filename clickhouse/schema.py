"""`python -m clickhouse.schema` writes `schema.sql`, the schema that the migrations build.

The metrics that ClickHouse derives from facts are not in it: `clickhouse/metrics/` defines them.
"""

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import chdb

from clickhouse.metrics.definition import read_definitions
from clickhouse.migrate import split_statements
from clickhouse.migration_state import FOLDER
from common.migrations import read_migrations

FILE = Path(__file__).parent / "schema.sql"

_HEADER = (
    "-- What the migrations build; written by `python -m clickhouse.schema`, checked by tests/contracts.\n"
    "-- The tables of clickhouse/metrics/ are missing here.\n"
)


def build_schema() -> str:
    """Apply the migrations to an empty engine, and return the definitions of the tables, ordered by name."""
    metrics = read_definitions()
    with TemporaryDirectory() as folder:
        connection = chdb.connect(folder)
        connection.query("CREATE DATABASE souk")
        connection.query("USE souk")
        for migration in read_migrations(FOLDER):
            for statement in split_statements(migration.sql):
                connection.query(statement)
        names = connection.query(
            "SELECT name FROM system.tables WHERE database = 'souk' ORDER BY name", "TSV"
        )
        definitions = [
            connection.query(f"SHOW CREATE TABLE souk.`{name}`", "TSVRaw").bytes().decode().strip()
            for name in names.bytes().decode().split()
            if name not in metrics
        ]
        connection.close()
    text = ";\n\n".join(re.sub(r"^(CREATE \w+ )souk\.", r"\1", definition) for definition in definitions)
    return f"{_HEADER}\n{text};\n"


def main() -> int:
    """Write `schema.sql`."""
    FILE.write_text(build_schema())
    print(f"wrote {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
