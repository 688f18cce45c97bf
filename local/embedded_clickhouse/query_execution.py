"""Checks one query and runs it on the engine, in a worker thread."""

import itertools
import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from clickhouse.engine import Connection, Engine
from clickhouse.sql_guard import reader_policy
from clickhouse.sql_guard.call_bounds import PATTERN_BLOCK_ROWS, may_search
from clickhouse.sql_guard.errors import DatabaseError, cancelled
from clickhouse.sql_guard.statement import (
    Insert,
    Query,
    split_insert,
    split_query,
    tokens,
    without_comments,
)
from local.embedded_clickhouse.compression import decompress
from local.embedded_clickhouse.connections import RequestConnections
from local.embedded_clickhouse.handshake import handshake_response, is_handshake, with_allowed_settings
from local.embedded_clickhouse.request import Request
from local.embedded_clickhouse.streams import BodyStream, ResultPipe
from local.embedded_clickhouse.users import User

MAX_ENTRIES = 4096
"""A cache with this many entries is emptied before an entry is added."""

MAX_TEXT_BYTES = 8192
"""Longer texts are not cached."""


_PARAMETER_IN_STRUCTURE = re.compile(rb"(?:values|generaterandom).*\{", re.IGNORECASE | re.DOTALL)
"""A parameter after a table function with a description of columns: its value may be that description."""


@dataclass(frozen=True)
class ValidatedQuery:
    """A query that a reader may run: its text without comments, and its parts."""

    text: bytes
    query: Query


class ValidationCache:
    """Maps a text, as it arrived, and its database to the query, for texts that a reader may run.

    The result of the checks depends on the text and on the database of its unqualified names. A text in which
    a parameter names a table or describes columns is not cached, because the result depends on its value.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[bytes, str], ValidatedQuery] = {}

    def find(self, text: bytes, database: str) -> ValidatedQuery | None:
        """Return the query, if this text has passed the checks before; else None."""
        return self._texts.get((text, database))

    def add(self, text: bytes, database: str, query: ValidatedQuery) -> None:
        """Add a text that passed the checks."""
        if len(text) > MAX_TEXT_BYTES or b"Identifier" in text or _PARAMETER_IN_STRUCTURE.search(text):
            return
        if len(self._texts) >= MAX_ENTRIES:
            self._texts.clear()
        self._texts[text, database] = query


MAX_FORM_SIZE = 16 << 20

_FORMAT = re.compile(r"\w+", re.ASCII)
_QUERY_ID = re.compile(rb"\bquery_id\s*=", re.IGNORECASE)


Watch = Callable[[bytes, float], AbstractContextManager[None]]
"""Watches a query, given its text and its time limit in seconds (`Watchdog.watch`)."""


@dataclass(frozen=True)
class QueryOutcome:
    """The outcome of a query. `body` is the result if it did not go through the pipe."""

    kind: str
    summary: str
    body: bytes = b""
    rows: int = 0


class QueryExecution:
    """One query. `run` blocks. `format` is set before the first byte is in the pipe."""

    def __init__(
        self,
        engine: Engine,
        connections: RequestConnections,
        validated: ValidationCache,
        request: Request,
        user: User,
        body_stream: BodyStream,
        pipe: ResultPipe,
        watch: Watch,
    ) -> None:
        self._engine = engine
        self._connections = connections
        self._validated = validated
        self._request = request
        self._user = user
        self._body_stream = body_stream
        self._pipe = pipe
        self._watch = watch
        self.format = "TabSeparated"
        self.cancelled = False
        self._tag = ""
        self._text = b""
        self._killing = threading.Lock()

    def run(self) -> QueryOutcome:
        """Run the query.

        Raises:
            DatabaseError: this server or the engine refused the query.
        """
        started = time.monotonic()
        try:
            body: Iterator[bytes] = self._body_stream.chunks()
            for encoding in self._request.body_encodings:
                body = decompress(body, encoding)
            if self._request.form_type:
                self._request.add_form(_read_all(body, MAX_FORM_SIZE))
                body = iter(())
            head, rest = self._head(body)
            if self.cancelled:
                raise cancelled()
            return self._statement(head, rest, started)
        finally:
            self._pipe.close_writing()

    def kill(self) -> None:
        """Cancel the query if it runs. Meanwhile, its connection is not returned to the pool."""
        with self._killing:
            if self._tag:
                self._engine.kill(self._tag)

    def _statement(self, head: bytes, rest: Iterator[bytes], started: float) -> QueryOutcome:
        insert = split_insert(head)
        if insert is not None:
            return self._insert(insert, itertools.chain([head[insert.data_at :]], rest), started)
        if len(head) > self._max_query_size():
            raise _too_large(self._max_query_size())
        return self._query(head, started)

    def _max_query_size(self) -> int:
        return self._user.max_query_size(self._request.settings.get("max_query_size", ""))

    def _head(self, body: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
        """Return the start of the statement, at least as long as a query may be, and the rest of the body."""
        if self._request.query:
            first = next(body, b"")
            return self._request.query + (b"\n" + first if first else b""), body
        limit, head = self._max_query_size(), bytearray()
        for chunk in body:
            head += chunk
            if len(head) > limit:
                break
        return bytes(head), body

    @contextmanager
    def _connection(self, query_settings: dict[str, str], *, stateless: bool) -> Iterator[Connection]:
        """Yield a connection with the settings of the request and the query, for `kill` to find."""
        settings = {**self._request.settings, **query_settings}
        settings = self._user.effective_settings(settings, self._engine.settings)
        with self._connections.hold(self._request, self._user, settings, stateless=stateless) as (
            tag,
            connection,
        ):
            self._tag = tag
            limit_s = float(settings["max_execution_time"]) if not self._user.writes else math.inf
            try:
                with self._watch(self._text, limit_s):
                    yield connection
            finally:
                with self._killing:
                    self._tag = ""

    def _check_may_write(self) -> None:
        if not self._user.writes:
            raise DatabaseError(164, "READONLY", f"{self._user.name}: Cannot execute query in readonly mode.")
        if self._request.method != "POST":
            message = (
                "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. "
                "You should use method POST for modifying queries."
            )
            raise DatabaseError(164, "READONLY", message)

    def _insert(self, insert: Insert, data: Iterator[bytes], started: float) -> QueryOutcome:
        self._check_may_write()
        self.format = insert.format or self._request.format or "Values"
        if not _FORMAT.fullmatch(self.format):
            raise DatabaseError(73, "UNKNOWN_FORMAT", f"Unknown format {self.format}.")
        # A second thread takes a quarter of the time of a small insert.
        single_threaded = self._request.is_short and "max_threads" not in self._request.settings
        with self._connection({"max_threads": "1"} if single_threaded else {}, stateless=True) as connection:
            result = connection.insert(insert, self.format, data, self._request.params)
        rows = result.rows_written()
        return QueryOutcome(
            "insert", _summary(started, written_rows=rows, written_bytes=result.bytes_written()), rows=rows
        )

    def _query(self, text: bytes, started: float) -> QueryOutcome:
        reader = not self._user.writes
        given, cached, self._text = text, None, text
        if reader:
            cached = self._validated.find(given, self._request.database)
            text = cached.text if cached else without_comments(given)
        query = cached.query if cached else split_query(text)
        if not query.core:
            raise DatabaseError(
                62, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): Empty query."
            )
        self.format = query.format or self._request.format or "TabSeparated"
        if self.format not in self._engine.formats:
            raise DatabaseError(73, "UNKNOWN_FORMAT", f"Unknown format {self.format}.")
        self._user.check_format(self.format)
        settings = query.settings if reader else {}
        if self._user.is_bounded and may_search(query.core):
            rows = (self._request.settings | settings).get("max_block_size", str(PATTERN_BLOCK_ROWS))
            if not rows.isdecimal() or int(rows) >= PATTERN_BLOCK_ROWS:
                settings = settings | {"max_block_size": str(PATTERN_BLOCK_ROWS)}
        with self._connection(settings, stateless=reader) as connection:
            reads = cached is not None or self._check(connection, query, text, given)
            if is_handshake(self._request, query.core, self.format):
                return QueryOutcome(
                    "select", _summary(started, result_rows=1), handshake_response(connection), 1
                )
            if reader:
                query = with_allowed_settings(query)
            result = self._run_checked(connection, query, text, reads=reads)
            summary = _summary(
                started,
                read_rows=result.storage_rows_read(),
                read_bytes=result.storage_bytes_read(),
                written_rows=result.rows_written(),
                written_bytes=result.bytes_written(),
                result_rows=result.rows_read(),
                result_bytes=result.bytes_read(),
            )
            return QueryOutcome("select" if reads else "other", summary, result.bytes(), result.rows_read())

    def _check(self, connection: Connection, query: Query, text: bytes, given: bytes) -> bool:
        """Check that this user may run a text, and return whether the text only reads.

        `given` is the text as it arrived; a reader's `text` has no comments.

        Raises:
            DatabaseError: the text has several statements, this user may not run it, or it writes and the
                method is not POST.
        """
        query_class, statements = connection.query_class(text)
        if statements > 1:
            raise DatabaseError(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed).")
        reads = query_class == "READ_ONLY"
        if not self._user.writes:
            reader_policy.check(
                connection,
                query.core,
                self._request.params,
                self._request.database,
                self._user.databases,
                is_bounded=self._user.is_bounded,
            )
            if not reads:
                self._check_may_write()
            if not (self._user.is_bounded and self._request.params):  # their bounds depend on the values
                self._validated.add(given, self._request.database, ValidatedQuery(text, query))
        elif not reads and query_class != "UNKNOWN" and self._request.method != "POST":
            self._check_may_write()
        return reads

    def _run_checked(self, connection: Connection, query: Query, text: bytes, *, reads: bool) -> Any:
        first = next(token.text.upper() for token in tokens(query.core))
        if reads and first != b"EXPLAIN":  # EXPLAIN would apply INTO OUTFILE to its inner query
            text = query.into_file(self._pipe.path, self.format, keep_settings=self._user.writes)
        elif first == b"KILL":
            text = _QUERY_ID.sub(b"substring(Settings['log_comment'], 34) =", text, count=1)
        if self.cancelled:
            raise cancelled()
        return connection.query(text, self.format, self._request.params)


def _read_all(body: Iterator[bytes], limit: int) -> bytes:
    content = bytearray()
    for chunk in body:
        content += chunk
        if len(content) > limit:
            raise DatabaseError(62, "SYNTAX_ERROR", f"The form is too large (at most {limit} bytes).")
    return bytes(content)


def _too_large(limit: int) -> DatabaseError:
    return DatabaseError(
        62,
        "SYNTAX_ERROR",
        f"Max query size exceeded (can be increased with the `max_query_size` setting): "
        f"Syntax error: failed at position {limit + 1}.",
    )


def _summary(started: float, **counts: int) -> str:
    names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "total_rows_to_read", "result_rows")
    figures = {name: str(counts.get(name, 0)) for name in (*names, "result_bytes")}
    return json.dumps(
        figures | {"elapsed_ns": str(int((time.monotonic() - started) * 1e9))}, separators=(",", ":")
    )
