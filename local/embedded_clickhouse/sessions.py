"""Sessions of the HTTP interface: connections that a client reuses by their `session_id`."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse.engine import Connection, Engine
from clickhouse.sql_guard.errors import DatabaseError

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
        self._lock = threading.Lock()
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
            self._sweep()
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

    def _sweep(self) -> None:
        now = time.monotonic()
        for key in [key for key, session in self._open.items() if not session.busy and session.ends_at < now]:
            self._open.pop(key).connection.close()

    def sweep(self) -> None:
        """Close the sessions that have expired."""
        with self._lock:
            self._sweep()


def _timeout(text: str) -> int:
    try:
        timeout_s = int(text or DEFAULT_TIMEOUT_S)
    except ValueError:
        timeout_s = -1
    if not 0 <= timeout_s <= MAX_TIMEOUT_S:
        message = f"Invalid session timeout: {text!r} (it is at most {MAX_TIMEOUT_S} seconds)."
        raise DatabaseError(374, "INVALID_SESSION_TIMEOUT", message)
    return timeout_s
