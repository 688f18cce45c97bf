"""Keeps the sums of roll-ups up to date, and reads them exactly.

An insert into the rows of a metric notes which keys it changes: a minute of the marketplace, an hour of a
seller. `fill` computes the sums of all keys once. `refresh` computes the sums of the noted keys again. Both
store the sums; of a key's stored sums the newest count. A refresh may therefore run at any time, run twice,
or be interrupted.

Readers get the stored sums, except for noted keys: their sums come from the rows. A figure is therefore exact
whether or not `refresh` runs; without it, queries only take longer.

The next run of the worker drops the notes that a refresh has processed (`forget`). Two conditions make this
safe. A note is dropped only if it is older than every INSERT that was running when the refresh began: the
rows of such a note were visible. And between a refresh and the next run, `REFRESH_EVERY_S` pass: a query that
still reads the sums from before the refresh also sees the notes.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import sleep
from typing import cast

from clickhouse_connect.driver.client import Client

from clickhouse.literals import quoted
from clickhouse.metrics.definition import READS, MetricDefinition

CLOCK_ERROR_S = 5
"""The clock of the machine is set back by less than this."""

REFRESH_EVERY_S = 60.0
"""The interval of refreshes. From its beginning until it reads, a query takes less than this."""

MAX_GROUP_BY_BYTES = 256 * 2**20
"""A computation of sums that needs more memory continues on disk."""

MAX_BLOCK_BYTES = 64 * 2**20
"""The size in memory of the blocks that a build inserts. ClickHouse copies a block to sort and write it. With
blocks of its default, 256 MiB, a large month needs more memory than a query may use, which is 1 GiB."""

NOTES_PARTITION_S = 60
"""The notes of this time are one partition, which is dropped as a whole."""

_CHANGED_AT, _COMPUTED_AT = "changed_at", "computed_at"

_NEVER_REPLACED = "toDateTime64('2299-12-31 23:59:59', 3, 'UTC')"
"""The `computed_at` of sums that come from the rows."""

_WAIT_INTERVAL_S = 0.1


@dataclass(frozen=True)
class Rollup:
    """A version of a roll-up in the database `rows`.

    `sums_sql` is its SELECT over a version of the metric that it adds up, with the placeholders `{changed}`
    and `{computed_at}`. `finer` is the roll-up whose notes it uses, if it adds up a roll-up.
    """

    metric: str
    version: str
    rows: str
    sums_sql: str
    finer: "Rollup | None" = None

    @property
    def table_name(self) -> str:
        """The name of the table of stored sums."""
        return f"{self.metric}_{self.version}"

    @property
    def table(self) -> str:
        """The quoted name of the table of stored sums."""
        return f"`{self.rows}`.`{self.table_name}`"

    @property
    def changes(self) -> str:
        """The quoted name of the table or view of its notes: which keys have changed, and when."""
        return f"`{self.rows}`.`{changes_of(self.table_name)}`"

    @property
    def notes_table(self) -> str:
        """The name of the table of notes that it uses; a finer roll-up's changes are notes of this one."""
        return self.finer.notes_table if self.finer else changes_of(self.table_name)

    def sums(self, condition: str, computed_at: str) -> str:
        """Return the SELECT of the sums of the keys that meet a condition."""
        return self.sums_sql.replace("{changed}", condition).replace("{computed_at}", computed_at)


def changes_of(table: str) -> str:
    """Return the name of the notes of a roll-up's table."""
    return f"{table}_changes"


def oldest_insert(client: Client) -> datetime:
    """Return the UTC time at which the oldest running INSERT began; the present time if none is running.

    The rows of every INSERT that began earlier are visible.
    """
    began = "now64(3, 'UTC') - toIntervalMillisecond(toInt64(1000 * elapsed))"
    ((oldest,),) = client.query(
        f"SELECT min(if(query_kind = 'Select', now64(3, 'UTC'), {began})) FROM system.processes"
    ).result_rows
    return cast(datetime, oldest)


def wait_for_inserts(client: Client, progress: Callable[[str], None]) -> None:
    """Wait until every INSERT that is running now has ended.

    A materialised view sees the rows of an INSERT only if it existed when the INSERT began. The rows of the
    others are visible afterwards.
    """
    ((now,),) = client.query("SELECT now64(3, 'UTC')").result_rows
    told = False
    while (oldest := oldest_insert(client)) < now:
        if not told and oldest < now - timedelta(seconds=CLOCK_ERROR_S):
            progress(f"waiting for an INSERT that began at {oldest:%H:%M:%S} UTC")
            told = True
        sleep(_WAIT_INTERVAL_S)


def _month_of(keys: Sequence[str]) -> str:
    """Return an expression for the month of a key. The last column of a key is its time."""
    return f"toYYYYMM({keys[-1]})"


def _is_noted(rollup: Rollup, keys: Sequence[str], condition: str = "1") -> str:
    """Return a condition for the keys in the notes that meet another condition."""
    names = ", ".join(keys)
    return f"({names}) IN (SELECT {names} FROM {rollup.changes} WHERE {condition})"


class Rollups:
    """Creates the tables of roll-ups, and computes their sums."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, rollup: Rollup, definition: MetricDefinition, rows_table: str) -> None:
        """Create the tables of a version over rows, and note changes from now on. `rows_table` is quoted."""
        self._create_table(rollup, definition)
        keys_sql = READS.sub(f"FROM {rows_table}", definition.changed_sql)
        keys = self._client.query(f"DESCRIBE TABLE ({keys_sql})").result_rows
        types = ", ".join(f"`{row[0]}` {row[1]}" for row in keys)
        names = ", ".join(f"`{row[0]}`" for row in keys)
        self._client.command(
            f"CREATE TABLE IF NOT EXISTS {rollup.changes} "
            f"({_CHANGED_AT} DateTime64(3, 'UTC') DEFAULT now64(3), {types}) "
            f"ENGINE = MergeTree ORDER BY ({names}) "
            f"PARTITION BY toStartOfInterval({_CHANGED_AT}, INTERVAL {NOTES_PARTITION_S} SECOND)"
        )
        view = f"`{rollup.rows}`.`{rollup.table_name}_notes`"
        self._client.command(
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view} TO {rollup.changes} AS\n{keys_sql}"
        )

    def create_over(self, rollup: Rollup, definition: MetricDefinition, finer: Rollup) -> None:
        """Create the table of a version over a finer roll-up, whose notes tell which keys change.

        While a version is built, the caller holds the migration lock, which keeps the finer roll-up's notes.
        """
        self._create_table(rollup, definition)
        keys_sql = READS.sub(f"FROM {finer.changes}", definition.changed_sql)
        with_time = keys_sql.replace("SELECT DISTINCT", f"SELECT DISTINCT {_CHANGED_AT},", 1)
        self._client.command(f"CREATE VIEW IF NOT EXISTS {rollup.changes} AS\n{with_time}")

    def fill(
        self, rollup: Rollup, definition: MetricDefinition, source: str, filled: Collection[int]
    ) -> Iterator[int]:
        """Compute the sums of all keys. Yield each month (202603 for March 2026) once its sums are stored.

        Args:
            rollup: the version; its tables exist.
            definition: its definition.
            source: the quoted table of the rows, or of the sums of a finer roll-up.
            filled: the months that an interrupted call has yielded. They are left out; what has changed in
                them since is noted.
        """
        keys_sql = READS.sub(f"FROM {source}", definition.changed_sql).replace(" DISTINCT", "", 1)
        keys = self._keys(rollup)
        months = {*self._months(keys, f"({keys_sql})"), *self._months(keys, rollup.changes)}
        missing = sorted(months.difference(filled))
        columns = self._columns_of_sums(rollup) if missing else ()
        for month in missing:
            self._store_sums(rollup, columns, f"{_month_of(keys)} = {month}")
            yield month

    def reader_sql(self, rollup: Rollup) -> str:
        """Return the SELECT for readers: the stored sums, and those of changed keys from the rows.

        A key that changes while the query runs appears once: in the sums of either time.
        """
        group, columns = self._group(rollup), self._columns_of_sums(rollup)
        figures = [name for name in columns if name not in (*group, _COMPUTED_AT)]
        stored = ", ".join(f"`{name}`" for name in columns)  # UNION matches columns by their position
        newest = ",\n    ".join(f"argMax(`{name}`, {_COMPUTED_AT}) AS `{name}`" for name in figures)
        return (
            f"SELECT\n    {', '.join(group)},\n    {newest}\nFROM\n(\n"
            f"SELECT {stored} FROM {rollup.table}\n"
            f"UNION ALL\n{rollup.sums(_is_noted(rollup, self._keys(rollup)), _NEVER_REPLACED)}\n)\n"
            f"GROUP BY {', '.join(group)}"
        )

    def refresh(self, rollup: Rollup) -> None:
        """Compute the sums of the noted keys, one month after the other."""
        keys, columns = self._keys(rollup), self._columns_of_sums(rollup)
        for month in self._months(keys, rollup.changes):
            self._store_sums(rollup, columns, _is_noted(rollup, keys, f"{_month_of(keys)} = {month}"))

    def visible_until(self) -> datetime:
        """Return a UTC time: the rows of every note from before it are visible from now on."""
        return oldest_insert(self._client) - timedelta(seconds=CLOCK_ERROR_S)

    def forget(self, rows: str, notes_table: str, until: datetime) -> None:
        """Drop the notes from before `until`, in whole partitions."""
        partitions = self._client.query(
            "SELECT DISTINCT partition FROM system.parts "
            "WHERE active AND database = {rows:String} AND table = {table:String}",
            {"rows": rows, "table": notes_table},
        ).result_rows
        for (start,) in partitions:
            # An older version of the platform created a partition for each day.
            seconds = 24 * 3600 if len(start) == len("2026-11-25") else NOTES_PARTITION_S
            if datetime.fromisoformat(start) + timedelta(seconds=seconds) <= until.replace(tzinfo=None):
                self._client.command(f"ALTER TABLE `{rows}`.`{notes_table}` DROP PARTITION {quoted(start)}")

    def _store_sums(self, rollup: Rollup, columns: Sequence[str], condition: str) -> None:
        self._client.command(
            f"INSERT INTO {rollup.table} ({', '.join(columns)})\n{rollup.sums(condition, 'now64(3)')}\n"
            f"SETTINGS max_bytes_before_external_group_by = {MAX_GROUP_BY_BYTES}, "
            f"min_insert_block_size_bytes = {MAX_BLOCK_BYTES}"
        )

    def _create_table(self, rollup: Rollup, definition: MetricDefinition) -> None:
        self._client.command(
            definition.table_sql.replace(
                "CREATE TABLE {table}", f"CREATE TABLE IF NOT EXISTS {rollup.table}", 1
            )
        )

    def _months(self, keys: Sequence[str], table: str) -> list[int]:
        """Return the months of the keys in a table."""
        return [
            month
            for (month,) in self._client.query(
                f"SELECT DISTINCT {_month_of(keys)} AS month FROM {table} ORDER BY month"
            ).result_rows
        ]

    def _columns(self, table: str) -> list[str]:
        return [row[0] for row in self._client.query(f"DESCRIBE TABLE {table}").result_rows]

    def _columns_of_sums(self, rollup: Rollup) -> Sequence[str]:
        """Return the columns of the SELECT of the sums, in its order."""
        return self._columns(f"({rollup.sums('1', _NEVER_REPLACED)})")

    def _keys(self, rollup: Rollup) -> Sequence[str]:
        """Return the columns that say which sums a note is about."""
        return [name for name in self._columns(rollup.changes) if name != _CHANGED_AT]

    def _group(self, rollup: Rollup) -> Sequence[str]:
        """Return the columns that identify a sum."""
        ((sorting_key,),) = self._client.query(
            "SELECT sorting_key FROM system.tables WHERE database = {rows:String} AND name = {table:String}",
            {"rows": rollup.rows, "table": rollup.table_name},
        ).result_rows
        return str(sorting_key).split(", ")
