"""Builds, fills, switches and drops the versions of metrics.

Each version of a metric has a table and materialised views of its own in the database `<database>_rows`.
Readers use the view `<metric>` in the platform's database, which reads one version: the live one. A switch
replaces that view in one step, so a reader sees either the old version or the new one.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any
from uuid import uuid4

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.databases import ROWS_SUFFIX
from clickhouse.literals import quoted
from clickhouse.metrics.definition import READS, MetricDefinition
from clickhouse.metrics.rollups import MAX_BLOCK_BYTES, Rollup, Rollups, wait_for_inserts
from common.errors import UserError

Progress = Callable[[str], None]
"""Receives a line of text after each step that takes long."""

_VERSIONS_KEPT = 2
"""The live version and the one before it."""

BEFORE_KEPT_H = 24
"""How long the version before the live one is fed at least, so that readers can go back to it."""

_VERSION = re.compile(r"\(version (\w+)\)$")

_NUMERIC = re.compile(r"U?Int|Float|Decimal")

_BOOKKEEPING = {
    "versions": dict.fromkeys(
        ("metric", "version", "view_sql", "description", "sums_sql", "adds_up"), "String"
    ),
    "switches": {
        "metric": "String",
        "version": "String",
        "switched_at": "DateTime64(6, 'UTC') DEFAULT now64(6)",
    },
    "chunks": {"metric": "String", "version": "String", "fact": "String", "month": "UInt32"},
}
"""The complete versions, when which version became live, and which months of a fact table, or of the metric
that a roll-up adds up, a version contains: table → column → type."""


@dataclass(frozen=True)
class MetricState:
    """The versions of one metric. `been_live` has the live one and those before it, the last switch first."""

    live: str | None
    been_live: tuple[str, ...]
    never_live: tuple[str, ...]


_NEVER_BUILT = MetricState(None, (), ())


@dataclass(frozen=True)
class FigureDifference:
    """A column whose sum differs between two versions; None if a version has no such column."""

    column: str
    live: int | float | None
    other: int | float | None


class MetricVersions:
    """Changes the versions of metrics. One process at a time may use it (`clickhouse.migration_lock`)."""

    def __init__(self, client: Client, progress: Progress = lambda _: None) -> None:
        self._client = client
        self._progress = progress
        self._rows = f"{client.database}{ROWS_SUFFIX}"

    def prepare(self) -> None:
        """Create the database of the versions, and its bookkeeping tables."""
        self._client.command(f"CREATE DATABASE IF NOT EXISTS `{self._rows}`")
        for table, types in _BOOKKEEPING.items():
            columns = ", ".join(f"{name} {type_}" for name, type_ in types.items())
            self._client.command(
                f"CREATE TABLE IF NOT EXISTS `{self._rows}`.{table} ({columns}) "
                "ENGINE = MergeTree ORDER BY (metric, version)"
            )
        # Installations from before the first roll-up lack these columns.
        self._client.command(
            f"ALTER TABLE `{self._rows}`.versions ADD COLUMN IF NOT EXISTS sums_sql String, "
            "ADD COLUMN IF NOT EXISTS adds_up String"
        )

    def install(self, definitions: Iterable[MetricDefinition]) -> list[str]:
        """Bring every metric to the version that this checkout defines; return the metrics that changed.

        A version that was live before is left alone: somebody went back from it. If this checkout's version
        has been live for `BEFORE_KEPT_H`, the one before it is dropped, so that inserts no longer feed it.
        """
        self.prepare()
        states, settled = self._states(""), self._settled()
        changed, replaced = [], []
        for definition in definitions:
            state = states.get(definition.name, _NEVER_BUILT)
            if state.live is None or definition.version not in state.been_live:
                self.rebuild(definition)
                changed.append(definition)
            elif (definition.name, state.live) in settled and state.live == definition.version:
                replaced += [(definition.name, version) for version in state.been_live[1:]]
        for definition in changed:
            self._switch_with_rollups(definition.name, definition.version)
        for name, version in reversed(replaced):  # a roll-up comes after the metric that it adds up
            self._drop(name, version)
        return [definition.name for definition in changed]

    def _settled(self) -> set[tuple[str, str]]:
        """Return (metric, version) of each metric's last switch, if it was `BEFORE_KEPT_H` ago or longer."""
        return set(
            self._query(
                f"SELECT metric, argMax(version, switched_at) FROM `{self._rows}`.switches "
                f"GROUP BY metric HAVING max(switched_at) < now() - INTERVAL {BEFORE_KEPT_H} HOUR"
            )
        )

    def state(self, name: str) -> MetricState:
        """Return the versions of a metric. The comment of its view says which is live."""
        return self._states(name).get(name, _NEVER_BUILT)

    def _states(self, name: str) -> dict[str, MetricState]:
        """Return metric → its versions; '' for the metrics that have any."""
        only = "({metric:String} = '' OR metric = {metric:String})"
        comments = self._query(
            "SELECT name AS metric, comment FROM system.tables "
            f"WHERE database = currentDatabase() AND engine = 'View' AND {only}",
            metric=name,
        )
        switched = self._switched(name)
        built = self._query(
            f"SELECT DISTINCT metric, version FROM `{self._rows}`.versions WHERE {only}", metric=name
        )
        live = {metric: found[1] for metric, comment in comments if (found := _VERSION.search(comment))}
        states = {}
        for metric in {row[0] for row in (*switched, *built)}:
            been_live = tuple(version for of, version in switched if of == metric)
            states[metric] = MetricState(
                live.get(metric),
                been_live,
                tuple(version for of, version in built if of == metric and version not in been_live),
            )
        return states

    def _switched(self, name: str) -> list[tuple[str, str]]:
        """Return (metric, version) of each version that has been live, the last switch first; '' for all."""
        return self._query(
            f"SELECT metric, version FROM `{self._rows}`.switches "
            "WHERE ({metric:String} = '' OR metric = {metric:String}) "
            "GROUP BY metric, version ORDER BY max(switched_at) DESC",
            metric=name,
        )

    def difference(self, name: str, version: str) -> list[FigureDifference]:
        """Compare a version with the live one: the number of rows, and the sum of each numeric column.

        Rows that arrive between the two readings make differences, too: repeat the comparison to see.

        Raises:
            UserError: the version was not built, or no version is live.
        """
        live = self.state(name).live
        if live is None:
            raise UserError(f"metric {name} has no live version yet: run `./souk up`")
        old, new = self._sums(name, live), self._sums(name, version)
        return [
            FigureDifference(column, old.get(column), new.get(column))
            for column in dict.fromkeys([*old, *new])
            if old.get(column) != new.get(column)
        ]

    def rebuild(self, definition: MetricDefinition) -> None:
        """Build a definition's version beside the live one, from the facts.

        Materialised views add the rows of new facts from the start. The stored facts follow month by month,
        each in one streaming INSERT. An interrupted run continues after the last complete month. A row that
        is added twice replaces itself.
        """
        if definition.adds_up:
            self._rebuild_rollup(definition, definition.adds_up)
            return
        name, version = definition.name, definition.version
        table = self._qualified(name, version)
        if definition.table_sql:
            if not self._has_table(name, version):
                self._drop(name, version)  # the list of filled months, if somebody dropped the table
            self._client.command(
                definition.table_sql.replace("CREATE TABLE {table}", f"CREATE TABLE IF NOT EXISTS {table}", 1)
            )
        for fact, select in definition.sources.items():
            view = f"`{self._rows}`.`{_table(name, version)}_from_{fact}`"
            self._client.command(f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view} TO {table} AS\n{select}")
        wait_for_inserts(self._client, self._progress)
        for fact, select in definition.sources.items():
            self._fill(definition, fact, select)
        if not self._is_complete(name, version):
            self._note(
                "versions",
                metric=name,
                version=version,
                view_sql=definition.view_sql,
                description=definition.description,
            )

    def _rebuild_rollup(self, definition: MetricDefinition, source: MetricDefinition) -> None:
        """Build a version of a roll-up over the same version of the metric that it adds up."""
        name, version = definition.name, definition.version
        if not self._is_complete(source.name, source.version):
            self.rebuild(source)
        source_sql, _ = self._select(source.name, source.version)
        sums_sql = READS.sub(
            lambda found: f"FROM (\n{source_sql}\n) AS {found[1]}", definition.rollup_sql, count=1
        )
        rollup = Rollup(name, version, self._rows, sums_sql)
        if not self._has_table(name, version):
            self._drop(name, version)  # what is known of its sums, if somebody dropped the table
        if self._is_complete(name, version):
            return
        rollups = Rollups(self._client)
        rows_table = self._qualified(source.name, source.version)
        if source.adds_up:
            rollups.create_over(rollup, definition, Rollup(source.name, source.version, self._rows, ""))
        else:
            rollups.create(rollup, definition, rows_table)
            wait_for_inserts(self._client, self._progress)
        # The notes of a finer roll-up may have been dropped since; a fill over its sums starts again.
        filled = set() if source.adds_up else self._filled_months(name, version, source.name)
        for month in rollups.fill(rollup, definition, rows_table, filled):
            self._note_month(name, version, source.name, month)
        self._note(
            "versions",
            metric=name,
            version=version,
            view_sql=rollups.reader_sql(rollup),
            description=definition.description,
            sums_sql=sums_sql,
            adds_up=_table(source.name, source.version),
        )

    def rollups(self) -> list[Rollup]:
        """Return every complete version of a roll-up; one comes after those that it adds up."""
        found = self._query(
            f"SELECT metric, version, sums_sql, adds_up FROM `{self._rows}`.versions WHERE adds_up != ''"
        )
        known = {
            _table(metric, version): (metric, version, sql, finer) for metric, version, sql, finer in found
        }
        order = TopologicalSorter({name: [finer] for name, (*_, finer) in known.items()}).static_order()
        rollups: dict[str, Rollup] = {}
        for name in order:
            if name in known:
                metric, version, sql, finer = known[name]
                rollups[name] = Rollup(metric, version, self._rows, sql, rollups.get(finer))
        return [*rollups.values()]

    def switch(self, name: str, version: str) -> None:
        """Make a version live: readers see it from now on. Versions older than the one before are dropped.

        Roll-ups that add up this metric are switched to the version that adds up this version.

        Raises:
            UserError: the version, or that of a roll-up, is not complete, or is not kept any more; or a
                metric whose view reads this one needs a column that the version lacks.
        """
        self._check_readers(name, version)
        self._switch_with_rollups(name, version)

    def _switch_with_rollups(self, name: str, version: str) -> None:
        dependent = self._dependent(name, version)
        self._switch(name, version)
        for rollup in dependent:
            self._switch_with_rollups(rollup, dependent[rollup])

    def _check_readers(self, name: str, version: str) -> None:
        """Check that the live views that read a metric can be read over this version of it."""
        select, _ = self._select(name, version)
        for reader, state in self._states("").items():
            if reader == name or state.live is None:
                continue
            view_sql, _ = self._select(reader, state.live)
            over_version, found = re.subn(
                rf"\b(FROM|JOIN)\s+{name}\b(\s+AS\s+\w+)?",
                lambda read: f"{read[1]} (\n{select}\n){read[2] or f' AS {name}'}",
                view_sql,
            )
            if not found:
                continue
            try:
                self._client.query(f"DESCRIBE TABLE ({over_version})")
            except DatabaseError as error:
                raise UserError(
                    f"metric {reader} can't read version {version} of {name}, which lacks a column: "
                    f"`./souk metrics switch {reader}` to a version that can, or rebuild both"
                ) from error

    def _dependent(self, name: str, version: str) -> dict[str, str]:
        """Return roll-up → the version to which a switch of the metric that it adds up must switch it."""
        built = self._query(
            f"SELECT metric, version, adds_up FROM `{self._rows}`.versions "
            "WHERE substring(adds_up, 1, length(adds_up) - length(version) - 1) = {metric:String}",
            metric=name,
        )
        dependent = {}
        for metric in dict.fromkeys(row[0] for row in built):
            suitable = [row[1] for row in built if row[0] == metric and row[2] == f"{name}_{version}"]
            state = self.state(metric)
            if state.live is None or state.live in suitable:
                continue
            if not suitable:
                raise UserError(
                    f"roll-up {metric} has no version that adds up version {version} of {name}: "
                    f"`./souk metrics rebuild {name}` builds it for the version of this checkout"
                )
            dependent[metric] = next(
                each for each in (*reversed(state.never_live), *state.been_live) if each in suitable
            )
        return dependent

    def _switch(self, name: str, version: str) -> None:
        select, description = self._select(name, version)
        self._replace_view(name, f"AS\n{select}\nCOMMENT {quoted(f'{description} (version {version})')}")
        self._note("switches", metric=name, version=version)
        for _, old in self._switched(name)[_VERSIONS_KEPT:]:
            self._drop(name, old)

    def _select(self, name: str, version: str) -> tuple[str, str]:
        """Return the SELECT over a version's rows, and the metric's description in that version."""
        found = self._query(
            f"SELECT view_sql, description FROM `{self._rows}`.versions "
            "WHERE metric = {metric:String} AND version = {version:String} LIMIT 1",
            metric=name,
            version=version,
        )
        if not found:
            raise UserError(
                f"metric {name} has no complete version {version}: `./souk metrics list` shows which it has"
            )
        ((view_sql, description),) = found
        return view_sql.replace("{table}", self._qualified(name, version)), description

    def _sums(self, name: str, version: str) -> dict[str, int | float]:
        select, _ = self._select(name, version)
        numeric = [row[0] for row in self._query(f"DESCRIBE TABLE ({select})") if _NUMERIC.match(row[1])]
        figures = ", ".join(["count() AS rows", *(f"sum(`{column}`) AS `{column}`" for column in numeric)])
        found = self._client.query(f"SELECT {figures} FROM ({select})")
        return dict(zip(found.column_names, found.result_rows[0], strict=True))

    def _is_complete(self, name: str, version: str) -> bool:
        return bool(
            self._query(
                f"SELECT 1 FROM `{self._rows}`.versions "
                "WHERE metric = {metric:String} AND version = {version:String} LIMIT 1",
                metric=name,
                version=version,
            )
        )

    def _has_table(self, name: str, version: str) -> bool:
        return bool(
            self._query(
                "SELECT 1 FROM system.tables WHERE database = {rows:String} AND name = {table:String}",
                rows=self._rows,
                table=_table(name, version),
            )
        )

    def _fill(self, definition: MetricDefinition, fact: str, select: str) -> None:
        """Add the rows of the stored facts, for each month that is not filled yet."""
        name, version = definition.name, definition.version
        found = self._query(f"SELECT DISTINCT toYYYYMM(occurred_at) AS month FROM `{fact}` ORDER BY month")
        filled = self._filled_months(name, version, fact)
        missing = [month for (month,) in found if month not in filled]
        if not missing:
            return
        columns = ", ".join(f"`{row[0]}`" for row in self._query(f"DESCRIBE TABLE ({select})"))
        insert = f"INSERT INTO {self._qualified(name, version)} ({columns})\n{select}\n"
        for month in missing:
            only = quoted(f"toYYYYMM(occurred_at) = {month}")
            self._client.command(
                f"{insert}SETTINGS additional_table_filters = {{{quoted(fact)}: {only}}}, "
                f"min_insert_block_size_bytes = {MAX_BLOCK_BYTES}"
            )
            self._note_month(name, version, fact, month)

    def _filled_months(self, name: str, version: str, source: str) -> set[int]:
        """Return the months of a fact table or of another metric that a version contains."""
        found = self._query(
            f"SELECT month FROM `{self._rows}`.chunks WHERE metric = {{metric:String}} "
            "AND version = {version:String} AND fact = {source:String}",
            metric=name,
            version=version,
            source=source,
        )
        return {month for (month,) in found}

    def _note_month(self, name: str, version: str, source: str, month: int) -> None:
        self._note("chunks", metric=name, version=version, fact=source, month=month)
        self._progress(f"metric {name}: {source} of {month // 100}-{month % 100:02}")

    def _replace_view(self, name: str, definition: str) -> None:
        """Create or replace the view `name`, which an older installation has as a table, in one step."""
        query = "SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = {name:String}"
        if not self._query(f"{query} AND engine != 'View'", name=name):
            self._client.command(f"CREATE OR REPLACE VIEW `{name}` {definition}")
            return
        new = f"{name}_{uuid4().hex[:8]}"
        self._client.command(f"CREATE VIEW `{new}` {definition}")
        self._client.command(f"EXCHANGE TABLES `{name}` AND `{new}`")
        self._client.command(f"DROP TABLE `{new}`")

    def _drop(self, name: str, version: str) -> None:
        tables = self._query(
            "SELECT name FROM system.tables "
            "WHERE database = {rows:String} AND startsWith(name, {prefix:String}) "
            "ORDER BY engine = 'MaterializedView' DESC",
            rows=self._rows,
            prefix=_table(name, version),
        )
        for (table,) in tables:
            self._client.command(f"DROP TABLE IF EXISTS `{self._rows}`.`{table}`")
        which = f"WHERE metric = {quoted(name)} AND version = {quoted(version)}"
        # Only where there are rows, because a DELETE takes long.
        noted = " UNION DISTINCT ".join(
            f"SELECT {quoted(table)} FROM `{self._rows}`.{table} {which}" for table in _BOOKKEEPING
        )
        for (table,) in self._query(noted):
            self._client.command(f"DELETE FROM `{self._rows}`.{table} {which}")

    def _note(self, table: str, **row: object) -> None:
        types = [_BOOKKEEPING[table][column] for column in row]  # else the client asks the server for them
        self._client.insert(
            table, [[*row.values()]], column_names=[*row], column_type_names=types, database=self._rows
        )

    def _query(self, query: str, **parameters: str) -> list[Any]:
        """Return the rows of a query."""
        return list(self._client.query(query, parameters).result_rows)

    def _qualified(self, name: str, version: str) -> str:
        return qualified_table(self._client.database or "", name, version)


def qualified_table(database: str, name: str, version: str) -> str:
    """Return the quoted name of a version's table; `database` is the platform's."""
    return f"`{database}{ROWS_SUFFIX}`.`{_table(name, version)}`"


def _table(name: str, version: str) -> str:
    return f"{name}_{version}"
