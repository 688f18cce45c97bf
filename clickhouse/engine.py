"""chdb, the ClickHouse engine inside this process, and its connections.

The engine is imported with the first connection: the import starts threads, which no wall may come after.
"""

import errno
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from clickhouse.literals import quoted
from clickhouse.sql_guard.errors import DatabaseError
from clickhouse.sql_guard.statement import Insert

MAX_IN_MEMORY = 16 << 20
"""A body of more bytes is buffered in an unnamed file on disk."""


@contextmanager
def buffered_body(chunks: Iterable[bytes], folder: Path) -> Iterator[str]:
    """Buffer the chunks, and yield the path of a file with them, which exists inside the `with` block.

    If `chunks` raises an error (the client disconnected, the data are corrupt), nothing is yielded.
    `folder` is for files on disk.

    Raises:
        DatabaseError: 243, the disk is full.
    """
    descriptor = os.memfd_create("insert", os.MFD_CLOEXEC)
    try:
        size = 0
        for chunk in chunks:
            if size <= MAX_IN_MEMORY < size + len(chunk):
                _move_to_disk(descriptor, size, folder)
            _write(descriptor, chunk)
            size += len(chunk)
        yield f"/proc/self/fd/{descriptor}"
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM):
            raise
        raise DatabaseError(
            243, "NOT_ENOUGH_SPACE", f"Cannot buffer the request's data: {error.strerror}."
        ) from None
    finally:
        os.close(descriptor)


def _move_to_disk(memory: int, size: int, folder: Path) -> None:
    """Move the contents of a memory file to an unnamed file on disk, under the same descriptor."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        at = 0
        while at < size:
            at += os.sendfile(file.fileno(), memory, at, size - at)
        os.dup2(file.fileno(), memory, inheritable=False)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


class Connection:
    """One connection of the engine, with its own settings, current database and temporary tables.

    Only one thread at a time may use it: the engine mixes up the parameters of concurrent queries.
    """

    def __init__(self, target: str, folder: Path) -> None:
        from chdb.state.sqlitelike import Connection as ChdbConnection

        self._folder = folder
        self._chdb: Any = ChdbConnection(target)

    @classmethod
    def open(cls, target: str, folder: Path, settings: Mapping[str, str], database: str) -> Self:
        """Open a connection with these settings, set in one statement, and this current database, if any.

        Raises:
            DatabaseError: the engine refuses a setting's value, or has no such database.
        """
        connection = cls(target, folder)
        try:
            if database:
                connection.use(database)
            connection.set(settings)
        except DatabaseError:
            connection.close()
            raise
        return connection

    def query(
        self, text: bytes, format_name: str = "TabSeparated", params: Mapping[str, str] | None = None
    ) -> Any:
        """Run one statement and return chdb's result (`bytes()`, `storage_rows_read()`, `rows_written()`).

        Raises:
            DatabaseError: the engine refused the statement.
        """
        try:
            return self._chdb.query(text, format_name, params=dict(params or {}))
        except UnicodeDecodeError as error:  # the message has bytes of the query's data
            raise DatabaseError.parse(error.object.decode(errors="replace")) from None
        except RuntimeError as error:
            raise DatabaseError.parse(str(error)) from None

    def text(self, query: str) -> str:
        """Return the result of a small query as tab-separated text."""
        result: bytes = self.query(query.encode()).bytes()
        return result.decode()

    def set(self, settings: Mapping[str, str]) -> None:
        """Change settings. The names must be identifiers, which `Request.add` ensures."""
        if settings:
            pairs = ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items())
            self.query(f"SET {pairs}".encode())

    def save_settings(self, settings: Iterable[str]) -> Callable[[], None]:
        """Return a function that restores these settings and the current database to their present values."""
        names = ", ".join(map(quoted, settings))
        rows = self.text(f"SELECT name, value FROM system.settings WHERE name IN ({names}) FORMAT TSVRaw")
        saved = dict(row.split("\t", 1) for row in rows.splitlines())
        database = self.text("SELECT currentDatabase() FORMAT TSVRaw").removesuffix("\n")

        def restore() -> None:
            self.set(saved)
            self.use(database)

        return restore

    def use(self, database: str) -> None:
        """Set the current database."""
        self.query(f"USE `{database.replace('`', '``')}`".encode())

    def query_class(self, text: bytes) -> tuple[str, int]:
        """Return a text's class (`READ_ONLY`, `MUTATING`, `CONTROL`, `UNKNOWN`) and number of statements."""
        result = self._chdb._conn.classify_query(text)
        return result["query_class"].name, int(result["statement_count"])

    def insert(
        self, insert: Insert, format_name: str, chunks: Iterable[bytes], params: Mapping[str, str]
    ) -> Any:
        """Insert data that arrive in chunks. Up to one block (1,048,449 rows), all rows are inserted or none.

        The engine reads the data from a file, within an ordinary query, because chdb's `send_insert` loses
        errors of the table (a constraint, too many partitions). Returns chdb's result (`rows_written()`,
        `bytes_written()`).

        Raises:
            DatabaseError: the engine refused the statement or a row; the message has the row and the reason.
        """
        with buffered_body(chunks, self._folder) as path:
            try:
                return self.query(insert.from_file(path, format_name), params=params)
            except DatabaseError as error:
                raise DatabaseError(
                    error.code, error.name, error.message.replace(f": (in file/uri {path})", "")
                ) from None

    def inserter(self, statement: str, format_name: str) -> Any:
        """Return chdb's insert of data that are appended in pieces (`append`, `finish`)."""
        return self._chdb.send_insert(statement, format_name)

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._chdb.close()


class Engine:
    """The engine with the database in the directory `data`.

    Large bodies of inserts are buffered in the directory `temporary`.
    """

    def __init__(self, data: Path, config: Path, temporary: Path) -> None:
        self._target = f"{data}?config-file={config}"
        self._folder = temporary
        self._lock = threading.Lock()
        self._own = self.connect()
        version, self.timezone, self.host = self._own.text("SELECT version(), timezone(), hostName()").split()
        self.version = f"{version} (souk)"
        self.formats = frozenset(self._own.text("SELECT name FROM system.formats WHERE is_output").split())
        rows = self._own.text("SELECT name, value FROM system.settings FORMAT TSVRaw").splitlines()
        self.settings = dict(row.split("\t", 1) for row in rows if "\t" in row)
        """The names and default values of the settings."""

    def connect(self, settings: Mapping[str, str] | None = None, database: str = "") -> Connection:
        """Open a connection with these settings, set in one statement, and this current database.

        Raises:
            DatabaseError: the engine refuses a setting's value, or has no such database.
        """
        return Connection.open(
            self._target, self._folder, {"implicit_select": "0", **(settings or {})}, database
        )

    def internal_query(self, query: str) -> str:
        """Return the result of a small query that the server itself needs."""
        with self._lock:
            return self._own.text(query)

    def kill(self, tag: str) -> None:
        """Cancel the query whose `log_comment` begins with `tag`."""
        self.internal_query(f"KILL QUERY WHERE startsWith(Settings['log_comment'], {quoted(tag)}) ASYNC")

    def close(self) -> None:
        """Cancel the running queries, and close the database."""
        self.internal_query("KILL QUERY WHERE 1 ASYNC")
        self._own.close()
