"""Reads the definitions of metrics: one folder per metric.

    sales_lines/table.sql                 CREATE TABLE {table}: the rows of the metric
    sales_lines/from_order_confirmed.sql  SELECT: the rows that one insert into the facts adds
    earning_lines/view.sql                SELECT FROM {table} and other metrics: what readers see; without
                                          it, all columns
    seller_sales_minute/view.sql          a metric without a table adds up the rows of another metric
    seller_sales_hour/table.sql           CREATE TABLE {table}: the sums of a roll-up
    seller_sales_hour/rollup.sql          SELECT: the sums of some keys (`{changed}`), over another metric
    seller_sales_hour/changed.sql         SELECT: the keys whose sums an insert into that metric changes

A row depends on one event only, and its key contains what identifies the event. An event that arrives twice
therefore overwrites its own rows, and a late event adds its rows. A roll-up computes the sums of a key again
whenever rows of the key have changed (`rollups.py`).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from hashlib import sha256
from pathlib import Path

from clickhouse.sql_guard.statement import tokens
from common.errors import UserError

FOLDER = Path(__file__).parent

_SOURCE_PREFIX = "from_"
_VERSION_DIGITS = 8
_DEFAULT_VIEW = "SELECT * FROM {table} FINAL"
READS = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")
_CREATE = "CREATE TABLE {table}"
_CHANGED = "{changed}"


@dataclass(frozen=True)
class MetricDefinition:
    """One metric: the statements of its folder. `sources` maps a fact table to the SELECT over its rows.

    A metric without a table has an empty `table_sql` and no sources. A roll-up has no sources and no
    `view_sql`, but `rollup_sql`, `changed_sql`, and the definition of the metric that it adds up.
    """

    name: str
    table_sql: str
    sources: Mapping[str, str]
    view_sql: str
    rollup_sql: str = ""
    changed_sql: str = ""
    adds_up: "MetricDefinition | None" = field(default=None)

    @cached_property
    def version(self) -> str:
        """A digest of the statements, and of the metric that a roll-up adds up. Comments do not change it."""
        statements = [self.table_sql, self.view_sql, *(f"{name}:{sql}" for name, sql in self.sources.items())]
        if self.adds_up:
            statements += [self.rollup_sql, self.changed_sql, self.adds_up.version]
        words = (b" ".join(token.text for token in tokens(sql.encode())) for sql in statements)
        return sha256(b"\n".join(words)).hexdigest()[:_VERSION_DIGITS]

    @property
    def description(self) -> str:
        """The first line of `table.sql`, or of `view.sql` in a metric without a table."""
        first = (self.table_sql or self.view_sql).partition("\n")[0]
        return first.removeprefix("--").strip() if first.startswith("--") else ""

    @property
    def reads(self) -> set[str]:
        """The other metrics that the view or the roll-up reads."""
        if self.adds_up:
            return {self.adds_up.name}
        return set(READS.findall(self.view_sql))


def read_definitions(folder: Path = FOLDER) -> dict[str, MetricDefinition]:
    """Return every metric by name. A metric comes after those that it reads.

    Raises:
        UserError: the files of a folder are not those of a metric.
    """
    texts = {
        path.name: {
            file.stem: file.read_text(encoding="utf-8").strip() for file in sorted(path.glob("*.sql"))
        }
        for path in sorted({file.parent for file in folder.glob("*/*.sql")})
    }
    definitions: dict[str, MetricDefinition] = {}
    for name in TopologicalSorter(
        {name: _read_by(each, texts) for name, each in texts.items()}
    ).static_order():
        definitions[name] = _definition(folder / name, texts[name], definitions)
    return definitions


def facts_of(name: str, definitions: Mapping[str, MetricDefinition]) -> set[str]:
    """Return the fact tables that feed a metric, directly or through the metrics that it reads."""
    definition = definitions[name]
    return set(definition.sources).union(*(facts_of(each, definitions) for each in definition.reads))


def rollups_over(name: str, definitions: Mapping[str, MetricDefinition]) -> list[MetricDefinition]:
    """Return the roll-ups that add up a metric, directly or through other roll-ups; finer ones come first."""
    found = {name}
    rollups = []
    for definition in definitions.values():
        if definition.adds_up and definition.adds_up.name in found:
            found.add(definition.name)
            rollups.append(definition)
    return rollups


def _read_by(texts: Mapping[str, str], metrics: Collection[str]) -> set[str]:
    """Return the metrics that the statements of a metric read."""
    return {name for sql in texts.values() for name in READS.findall(sql) if name in metrics}


def _definition(
    folder: Path, texts: Mapping[str, str], others: Mapping[str, MetricDefinition]
) -> MetricDefinition:
    table, rollup, changed = (texts.get(stem, "") for stem in ("table", "rollup", "changed"))
    sources = {
        stem.removeprefix(_SOURCE_PREFIX): sql
        for stem, sql in texts.items()
        if stem.startswith(_SOURCE_PREFIX)
    }
    view = texts.get("view", "" if rollup else _DEFAULT_VIEW)
    known = len(sources) + len({"table", "view", "rollup", "changed"} & texts.keys()) == len(texts)
    has_table = _CREATE in table
    if rollup:
        read = _read_by({"rollup": rollup}, others)
        if (
            known
            and has_table
            and changed
            and not sources
            and not view
            and _CHANGED in rollup
            and len(read) == 1
        ):
            return MetricDefinition(folder.name, table, {}, "", rollup, changed, others[read.pop()])
    elif known and not changed and bool(sources) == has_table == ("{table}" in view) == bool(table):
        return MetricDefinition(folder.name, table, sources, view)
    raise UserError(
        f"{folder} must contain table.sql (with {_CREATE}) and a file from_<fact table>.sql for each fact "
        "table; or view.sql alone, which reads another metric; or the files of a roll-up: table.sql, "
        f"rollup.sql (which reads one other metric WHERE {_CHANGED}) and changed.sql"
    )
