"""Reads the definitions of metrics: one folder per metric, one SQL file per fact table that feeds it.

    order_lines/table.sql               CREATE TABLE {table}: the rows of the metric
    order_lines/from_order_placed.sql   SELECT: the rows that one insert into the facts adds
    order_lines/view.sql                SELECT FROM {table}: what readers see; without the file, all columns

A row depends on one event only, and its key contains what identifies the event. An event that arrives twice
therefore overwrites its own rows, and a late event adds its rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from clickhouse.http_server.statement import tokens
from common.errors import UserError

FOLDER = Path(__file__).parent

_SOURCE_PREFIX = "from_"
_VERSION_DIGITS = 8
_DEFAULT_VIEW = "SELECT * FROM {table} FINAL"


@dataclass(frozen=True)
class MetricDefinition:
    """One metric: the statements of its folder. `sources` maps a fact table to the SELECT over its rows."""

    name: str
    table_sql: str
    sources: Mapping[str, str]
    view_sql: str

    @property
    def version(self) -> str:
        """A digest of the statements. Comments and white space do not change it."""
        statements = [self.table_sql, self.view_sql, *(f"{name}:{sql}" for name, sql in self.sources.items())]
        words = (b" ".join(token.text for token in tokens(sql.encode())) for sql in statements)
        return sha256(b"\n".join(words)).hexdigest()[:_VERSION_DIGITS]

    @property
    def description(self) -> str:
        """The first line of `table.sql`."""
        return self.table_sql.partition("\n")[0].removeprefix("--").strip()


def read_definitions(folder: Path = FOLDER) -> dict[str, MetricDefinition]:
    """Return every metric by name.

    Raises:
        UserError: a folder has no `table.sql`, or no file `from_<fact table>.sql`.
    """
    folders = sorted(path.parent for path in folder.glob("*/*.sql"))
    return {path.name: _read(path) for path in dict.fromkeys(folders)}


def _read(folder: Path) -> MetricDefinition:
    texts = {path.stem: path.read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.sql"))}
    table, view = texts.pop("table", None), texts.pop("view", _DEFAULT_VIEW)
    sources = {
        name.removeprefix(_SOURCE_PREFIX): sql
        for name, sql in texts.items()
        if name.startswith(_SOURCE_PREFIX)
    }
    if table is None or "{table}" not in table:
        raise UserError(f"{folder}/table.sql is missing, or does not contain CREATE TABLE {{table}}")
    if not sources or len(sources) != len(texts):
        raise UserError(f"{folder} needs a file from_<fact table>.sql, and has no other files but view.sql")
    return MetricDefinition(folder.name, table, sources, view)
