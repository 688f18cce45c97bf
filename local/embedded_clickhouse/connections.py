"""Selects the connection of a request: the one of its session, a pooled one, or a new one."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from clickhouse.engine import Connection, Engine
from local.embedded_clickhouse.connection_pool import ConnectionPool
from local.embedded_clickhouse.request import Request
from local.embedded_clickhouse.sessions import Sessions
from local.embedded_clickhouse.users import User

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
        with self._engine.connect(with_comment, request.database) as connection:
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
