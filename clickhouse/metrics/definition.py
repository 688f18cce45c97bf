"""Reads the definitions of metrics: one folder per metric.

    sales_lines/table.sql                 CREATE TABLE {table}: the rows of the metric
    sales_lines/from_order_confirmed.sql  SELECT: the rows that one insert into the facts adds
    sales_lines/view.sql                  SELECT FROM {table}: what readers see; without it, all columns
    seller_sales_minute/view.sql          a metric without a table adds up the rows of another metric

A row depends on one event only, and its key contains what identifies the event. An event that arrives twice
therefore overwrites its own rows, and a late event adds its rows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from clickhouse.http_server.statement import tokens
from common.errors import UserError

FOLDER = Path(__file__).parent

_SOURCE_PREFIX = "from_"
_VERSION_DIGITS = 8
_DEFAULT_VIEW = "SELECT * FROM {table} FINAL"
_READS = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")
_CREATE = "CREATE TABLE {table}"


@dataclass(frozen=True)
class MetricDefinition:
    """One metric: the statements of its folder. `sources` maps a fact table to the SELECT over its rows.

    A metric without a table has an empty `table_sql` and no sources.
    """

    name: str
    table_sql: str
    sources: Mapping[str, str]
    view_sql: str

    @cached_property
    def version(self) -> str:
        """A digest of the statements. Comments and white space do not change it."""
        statements = [self.table_sql, self.view_sql, *(f"{name}:{sql}" for name, sql in self.sources.items())]
        words = (b" ".join(token.text for token in tokens(sql.encode())) for sql in statements)
        return sha256(b"\n".join(words)).hexdigest()[:_VERSION_DIGITS]

    @property
    def description(self) -> str:
        """The first line of `table.sql`, or of `view.sql` in a metric without a table."""
        first = (self.table_sql or self.view_sql).partition("\n")[0]
        return first.removeprefix("--").strip() if first.startswith("--") else ""

    @property
    def reads(self) -> set[str]:
        """The other metrics that the view reads."""
        return set() if self.table_sql else set(_READS.findall(self.view_sql))


def read_definitions(folder: Path = FOLDER) -> dict[str, MetricDefinition]:
    """Return every metric by name. A metric comes after those that it reads.

    Raises:
        UserError: the files of a folder are not those of a metric.
    """
    folders = sorted({path.parent for path in folder.glob("*/*.sql")})
    definitions = {path.name: _read(path) for path in folders}
    return dict(sorted(definitions.items(), key=lambda item: len(item[1].reads)))


def facts_of(name: str, definitions: Mapping[str, MetricDefinition]) -> set[str]:
    """Return the fact tables that feed a metric, directly or through the metrics that it reads."""
    definition = definitions[name]
    return set(definition.sources).union(*(facts_of(each, definitions) for each in definition.reads))


def _read(folder: Path) -> MetricDefinition:
    texts = {path.stem: path.read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.sql"))}
    table, view = texts.pop("table", ""), texts.pop("view", _DEFAULT_VIEW)
    sources = {
        name.removeprefix(_SOURCE_PREFIX): sql
        for name, sql in texts.items()
        if name.startswith(_SOURCE_PREFIX)
    }
    if (
        len(sources) != len(texts)
        or bool(sources) != (_CREATE in table)
        or ("{table}" in view) != bool(table)
    ):
        raise UserError(
            f"{folder} must contain table.sql (with {_CREATE}) and a file from_<fact table>.sql for each "
            "fact table, or view.sql alone, which reads another metric"
        )
    return MetricDefinition(folder.name, table, sources, view)
