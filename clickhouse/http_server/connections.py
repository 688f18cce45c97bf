"""Which connection a request runs on: its session's, one that others used before, or one of its own."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from clickhouse.http_server.connection_pool import ConnectionPool
from clickhouse.http_server.engine import Connection, Engine
from clickhouse.http_server.request import Request
from clickhouse.http_server.sessions import Sessions
from clickhouse.http_server.users import User

Tagged = tuple[str, Connection]
"""A connection, and the tag that the `log_comment` of what runs on it begins with; no other has it."""


class Connections:
    """The connections of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool = ConnectionPool(engine)
        self.sessions = Sessions(engine)

    def hold(
        self, request: Request, user: User, settings: Mapping[str, str], *, stateless: bool
    ) -> AbstractContextManager[Tagged]:
        """A connection for one request, with these settings.

        A `stateless` statement, which leaves nothing behind on its connection, shares it with later requests.
        Not under an id that its client chose: `KILL QUERY` finds it by its connection's `log_comment`.

        Raises:
            DatabaseError: as `Engine.connect` and `Sessions.hold`.
        """
        if request.session_id and user.writes:
            return self._of_session(request, user, dict(settings))
        if not user.writes:
            settings = {**settings, "readonly": "1"}
        if stateless and not request.named:
            return self._pool.hold(settings, request.database)
        return self._of_its_own(request, settings)

    def close(self) -> None:
        """Close what is kept."""
        self._pool.close()

    @contextmanager
    def _of_its_own(self, request: Request, settings: Mapping[str, str]) -> Iterator[Tagged]:
        tag = uuid.uuid4().hex
        named = {**settings, "log_comment": f"{tag} {request.query_id}"}
        with self._engine.connect(named, request.database) as connection:
            yield tag, connection

    @contextmanager
    def _of_session(self, request: Request, user: User, settings: dict[str, str]) -> Iterator[Tagged]:
        tag = uuid.uuid4().hex
        settings["log_comment"] = f"{tag} {request.query_id}"
        session = (user.name, request.session_id, request.session_timeout)
        with self.sessions.hold(*session, must_exist=request.session_check) as connection:
            restore = connection.keep(settings)
            try:
                if request.database:
                    connection.use(request.database)
                connection.set(settings)
                yield tag, connection
            finally:
                restore()
