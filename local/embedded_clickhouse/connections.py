"""Selects the connection of a request: the one of its session, a pooled one, or a new one.

Requests with the same settings share pooled connections, so that they need not set them again. Only
statements that change nothing on a connection use the pool: a reader's queries, which can't `SET`, `USE` or
create anything, and inserts of data.
"""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager

from clickhouse.engine import Connection, Engine
from clickhouse.sql_guard.errors import DatabaseError
from local.embedded_clickhouse.request import Request
from local.embedded_clickhouse.users import User

MAX_IDLE = 32
"""Limit of the idle connections; beyond it, the one that has been idle longest is closed."""

_Key = tuple[str, frozenset[tuple[str, str]]]


class ConnectionPool:
    """Idle connections, each with its own tag, and the database and settings with which it was opened."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._idle: list[tuple[_Key, str, Connection]] = []
        self._closed = False

    @contextmanager
    def hold(self, settings: Mapping[str, str], database: str) -> Iterator[tuple[str, Connection]]:
        """Yield the tag of a connection with this database and these settings, and the connection.

        A connection whose statement failed is not used again.

        Raises:
            DatabaseError: as `Engine.connect`.
        """
        key = (database, frozenset(settings.items()))
        tag, connection = self._take(key) or self._open(settings, database)
        try:
            yield tag, connection
        except BaseException:
            connection.close()
            raise
        self._put_back(key, tag, connection)

    def close(self) -> None:
        """Close idle connections, and every connection that is returned later."""
        with self._lock:
            self._closed, idle = True, self._idle
            self._idle = []
        for _, _, connection in idle:
            connection.close()

    def _open(self, settings: Mapping[str, str], database: str) -> tuple[str, Connection]:
        tag = uuid.uuid4().hex
        return tag, self._engine.connect({**settings, "log_comment": f"{tag} "}, database)

    def _take(self, key: _Key) -> tuple[str, Connection] | None:
        with self._lock:
            for at in range(len(self._idle) - 1, -1, -1):
                if self._idle[at][0] == key:
                    _, tag, connection = self._idle.pop(at)
                    return tag, connection
        return None

    def _put_back(self, key: _Key, tag: str, connection: Connection) -> None:
        with self._lock:
            self._idle.append((key, tag, connection))
            surplus = [] if not self._closed and len(self._idle) <= MAX_IDLE else [self._idle.pop(0)]
        for _, _, oldest in surplus:
            oldest.close()


DEFAULT_TIMEOUT_S = 60
MAX_TIMEOUT_S = 3600


class _Session:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.busy = False
        self.ends_at = 0.0


class Sessions:
    """The open sessions by user and id. A session ends when it has been idle for its timeout."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        self._open: dict[tuple[str, str], _Session] = {}

    @contextmanager
    def hold(self, user: str, session_id: str, timeout: str, *, must_exist: bool) -> Iterator[Connection]:
        """Yield the session's connection, for one request at a time.

        Raises:
            DatabaseError: 373, another request holds the session; 372, the session must exist and does not;
                374, the timeout is invalid.
        """
        timeout_s = _timeout(timeout)
        session = self._take((user, session_id), must_exist)
        try:
            yield session.connection
        finally:
            with self._lock:
                session.busy = False
                session.ends_at = time.monotonic() + timeout_s

    def _take(self, key: tuple[str, str], must_exist: bool) -> _Session:
        with self._lock:
            self.sweep()
            session = self._open.get(key)
            if session is None:
                if must_exist:
                    raise DatabaseError(372, "SESSION_NOT_FOUND", f"Session {key[1]} not found.")
                session = self._open[key] = _Session(self._engine.connect())
            if session.busy:
                raise DatabaseError(
                    373, "SESSION_IS_LOCKED", f"Session {key[1]} is locked by a concurrent client."
                )
            session.busy = True
            return session

    def sweep(self) -> None:
        """Close the sessions that have expired."""
        with self._lock:
            now = time.monotonic()
            for key in [k for k, session in self._open.items() if not session.busy and session.ends_at < now]:
                self._open.pop(key).connection.close()


def _timeout(text: str) -> int:
    try:
        timeout_s = int(text or DEFAULT_TIMEOUT_S)
    except ValueError:
        timeout_s = -1
    if not 0 <= timeout_s <= MAX_TIMEOUT_S:
        raise DatabaseError(
            374,
            "INVALID_SESSION_TIMEOUT",
            f"Invalid session timeout: {text!r} (it is at most {MAX_TIMEOUT_S} seconds).",
        )
    return timeout_s


TaggedConnection = tuple[str, Connection]
"""A unique tag, and the connection whose queries have a `log_comment` that begins with this tag."""


class RequestConnections:
    """The connections of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool = ConnectionPool(engine)
        self.sessions = Sessions(engine)

    def hold(
        self, request: Request, user: User, settings: Mapping[str, str], *, stateless: bool
    ) -> AbstractContextManager[TaggedConnection]:
        """Hold a connection with these settings for one request; yields its tag and the connection.

        A `stateless` statement changes nothing on its connection, so it uses a pooled one. A statement whose
        client chose the query id gets a new one, because `KILL QUERY` finds the id in the connection's
        `log_comment`.

        Raises:
            DatabaseError: as `Engine.connect` and `Sessions.hold`.
        """
        if request.session_id and user.writes:
            return self._session(request, user, dict(settings))
        if not user.writes:
            settings = {**settings, "readonly": "1"}
        if stateless and not request.has_client_query_id:
            return self._pool.hold(settings, request.database)
        return self._new(request, settings)

    def close(self) -> None:
        """Close the pooled connections."""
        self._pool.close()

    @contextmanager
    def _new(self, request: Request, settings: Mapping[str, str]) -> Iterator[TaggedConnection]:
        tag = uuid.uuid4().hex
        with_comment = {**settings, "log_comment": f"{tag} {request.query_id}"}
        with closing(self._engine.connect(with_comment, request.database)) as connection:
            yield tag, connection

    @contextmanager
    def _session(self, request: Request, user: User, settings: dict[str, str]) -> Iterator[TaggedConnection]:
        tag = uuid.uuid4().hex
        settings["log_comment"] = f"{tag} {request.query_id}"
        session = (user.name, request.session_id, request.session_timeout)
        with self.sessions.hold(*session, must_exist=request.session_check) as connection:
            restore = connection.save_settings(settings)
            try:
                if request.database:
                    connection.use(request.database)
                connection.set(settings)
                yield tag, connection
            finally:
                restore()
