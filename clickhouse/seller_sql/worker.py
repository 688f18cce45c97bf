"""`python -m clickhouse.seller_sql.worker`: runs queries of one seller, confined, on an engine in memory.

The service starts it, gives it rows of one seller and queries over them, and ends it. It has a socket to the
service and nothing else. For each query the service first asks what the query reads, then sends these rows,
which become tables with the names of the views, and then has it run.
"""

import contextlib
import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clickhouse.analytics.catalogue import AnalyticsView, read_views
from clickhouse.engine import Connection
from clickhouse.literals import quoted
from clickhouse.seller_sql import frames, limits, policy, walls
from clickhouse.seller_sql.readings import readings
from clickhouse.sql_guard import reader_policy
from clickhouse.sql_guard.errors import DatabaseError, too_large_result
from clickhouse.sql_guard.readable_databases import EVERY, ReadableDatabases
from clickhouse.sql_guard.statement import Query, split_query, without_comments

_VIEWS: Mapping[str, AnalyticsView] = {name: v for name, v in read_views().items() if v.is_of_sellers}
_PARSING = {name: value for name, value in limits.SETTINGS.items() if name != "limit"}
"""The engine would put the tree of a query with this setting into a `SELECT *`."""
_MILLISECONDS = "SELECT toUnixTimestamp64Milli(CAST({} AS DateTime64(3, 'UTC')))"


def _connect(settings: Mapping[str, str], database: str) -> Connection:
    return Connection.open(":memory:", Path(), settings, database)  # nothing is buffered in files


class Worker:
    """The engine, and the query that is being prepared. Its methods answer the messages of the service."""

    def __init__(self, database: str, *, guard: bool) -> None:
        self._database = database
        self._guard = guard
        self._own = _connect({}, "")
        self._own.query(f"CREATE DATABASE `{database}` ENGINE = Memory".encode())
        # Whatever the engine loads at its first query, it must load before the walls close.
        with contextlib.closing(_connect(limits.SETTINGS, database)) as warm:
            warm.query(
                b"SELECT count() FROM numbers(100000) AS a JOIN numbers(9) AS b USING number", "Parquet"
            )
        self._reader = self._own
        self._core = b""
        self._params: dict[str, str] = {}
        self._read_rows: dict[str, int] = {}
        self._failure: DatabaseError | None = None

    def read(self, text: str, params: dict[str, str]) -> dict[str, Any]:
        """Check a query, and return what it reads: view → its columns and bounds in milliseconds since 1970.

        Raises:
            DatabaseError: the query is invalid, or sellers may not run it.
        """
        self._forget()
        self._reader = _connect(_PARSING, self._database)
        query = split_query(without_comments(text.encode(errors="replace")))
        if not query.core:
            raise DatabaseError(62, "SYNTAX_ERROR", "Syntax error: the query is empty.")
        self._core, self._params = query.core, params
        tree = self._checked(query) if self._guard else self._tree()
        found = {}
        for view, reading in readings(tree, self._core, self._database, _VIEWS).items():
            bounds = {}
            for column, (lower, upper) in reading.bounds.items():
                lows, highs = (list(filter(None, map(self._moment, each))) for each in (lower, upper))
                bounds[column] = [max(lows, default=None), min(highs, default=None)]
            found[view] = {"columns": reading.columns, "bounds": bounds}
        return found

    def _checked(self, query: Query) -> str:
        if self._reader.query_class(query.core)[1] > 1:
            raise DatabaseError(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed).")
        # There are no others here; `policy` says which views there are.
        tree = reader_policy.check(
            self._reader, self._core, self._params, self._database, ReadableDatabases(frozenset({EVERY}))
        )
        policy.check(query, tree, self._database)
        return tree

    def _tree(self) -> str:
        content: bytes = self._reader.query(b"EXPLAIN AST " + self._core, "TSVRaw", self._params).bytes()
        return content.decode(errors="replace")

    def _moment(self, expression: str) -> int | None:
        with contextlib.suppress(DatabaseError, ValueError):
            return int(self._reader.query(_MILLISECONDS.format(expression).encode(), "TSV").bytes())
        return None

    def _forget(self) -> None:
        """Drop the tables of the query before, and close its connection."""
        if self._reader is not self._own:
            self._reader.close()
            self._reader = self._own
        for view in self._read_rows:
            self._own.query(f"DROP TABLE IF EXISTS `{self._database}`.`{view}` SYNC".encode())
        self._read_rows, self._failure = {}, None

    def table(self, view: str, columns: list[str], connection: socket.socket) -> None:
        """Create the table of a view with these columns, and fill it with the rows that follow.

        The failure of an insert is reported when the query is to run.
        """
        declared = {column.name: column for column in _VIEWS[view].columns}
        described = ", ".join(
            f"`{name}` {declared[name].type} COMMENT {quoted(declared[name].comment)}" for name in columns
        )
        comment = quoted(_VIEWS[view].description)
        name = f"`{self._database}`.`{view}`"
        self._read_rows[view] = 0
        inserter: Any = None
        try:
            self._own.query(f"CREATE TABLE {name} ({described}) ENGINE = Memory COMMENT {comment}".encode())
        except DatabaseError as error:
            self._failure = error
        while (received := frames.receive(connection))[0] == frames.DATA:
            if self._failure:
                continue
            try:
                inserter = inserter or self._own.inserter(f"INSERT INTO {name}", "Native")
                inserter.append(received[1])
            except Exception as error:  # chdb raises several kinds
                self._failure = DatabaseError.parse(str(error))
        if inserter and not self._failure:
            try:
                self._read_rows[view] = inserter.finish().rows_written
            except Exception as error:
                self._failure = DatabaseError.parse(str(error))

    def run(self, form: str, seconds: float, max_rows: int) -> bytes:
        """Run the query for at most so long, and return its result in a format.

        At most `max_rows` rows of the views may have come.

        Raises:
            DatabaseError: the query fails, or a limit is exceeded.
        """
        if self._failure:
            raise self._failure
        if sum(self._read_rows.values()) > max_rows:
            largest = max(self._read_rows, key=lambda view: self._read_rows[view])
            raise limits.too_much_to_read(_VIEWS[largest], f"{max_rows:,} rows")
        self._reader.close()
        self._reader = _connect(
            {**limits.SETTINGS, "max_execution_time": f"{max(0.1, seconds):.3f}"}, self._database
        )
        content: bytes = self._reader.query(self._core, form, self._params).bytes()
        if len(content) > limits.MAX_RESULT_BYTES:
            raise too_large_result(limits.MAX_RESULT_BYTES)
        return content


def serve(connection: socket.socket, worker: Worker) -> None:
    """Answer the service's messages until it closes the connection."""
    while True:
        kind, body = frames.receive(connection)
        try:
            if kind == frames.READ:
                given = json.loads(body)
                found = worker.read(given["text"], given["params"])
                connection.sendall(frames.frame(frames.READINGS, frames.to_json(found)))
            elif kind == frames.TABLE:
                given = json.loads(body)
                worker.table(given["view"], given["columns"], connection)
            elif kind == frames.RUN:
                given = json.loads(body)
                content = worker.run(given["format"], given["seconds"], given["max_rows"])
                connection.sendall(frames.frame(frames.RESULT, content))
        except DatabaseError as error:
            connection.sendall(frames.error_frame(error))
        except MemoryError:
            connection.sendall(
                frames.error_frame(
                    DatabaseError(241, "MEMORY_LIMIT_EXCEEDED", "The process has no memory left.")
                )
            )


def main() -> None:
    """Confine this process, start the engine, and serve."""
    descriptor, scratch, parent, given = sys.argv[1:]
    options = json.loads(given)
    with socket.socket(fileno=int(descriptor)) as connection:
        try:
            walls.enter(Path(scratch), int(parent))
            worker = Worker(options["database"], guard=options["guard"])
            walls.close()
        except Exception as error:
            connection.sendall(
                frames.error_frame(DatabaseError(1001, "STD_EXCEPTION", f"{type(error).__name__}: {error}"))
            )
            return
        connection.sendall(frames.frame(frames.READY))
        with contextlib.suppress(EOFError, ConnectionError):
            serve(connection, worker)


if __name__ == "__main__":
    main()
    os._exit(0)
