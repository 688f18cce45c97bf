"""Pools the engine's connections, so that requests with the same settings need not set them again.

Only statements that change nothing on a connection use the pool: a reader's queries, which can't `SET`, `USE`
or create anything, and inserts of data.
"""

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from clickhouse.engine import Connection, Engine

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
