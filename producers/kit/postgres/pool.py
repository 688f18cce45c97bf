"""Connections of a service to its own schema, as the role that owns it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson

from common.settings import Settings
from common.timeouts import PEER_TIMEOUT_S
from producers.kit.postgres.errors import closed_is_transient

REQUEST_CONNECTIONS = 6
"""Connections for the requests of one service; a further request waits for a free one."""

EVENT_CONNECTIONS = 4
"""Connections for the events and the background work of one service. Requests never wait for these."""

ACQUIRE_TIMEOUT_S = 10.0
"""Longest wait for a free connection. 1,000 simultaneous checkouts take one or two seconds."""

COMMAND_TIMEOUT_S = 10.0


def make_pool(settings: Settings, schema: str, max_size: int) -> "asyncpg.Pool[Any]":
    """Return a pool of at most `max_size` connections.

    Connections are opened on demand, so that a service can start without PostgreSQL.
    """
    return asyncpg.create_pool(
        settings.postgres_as(schema),
        min_size=0,
        max_size=max_size,
        timeout=PEER_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        max_inactive_connection_lifetime=300.0,
        server_settings=_session(schema),
        init=_set_codecs,
        reset=_skip_reset,
    )


@asynccontextmanager
async def acquire_connection(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Any]:
    """Borrow a connection from the pool for the duration of the block.

    Raises:
        one of `producers.kit.postgres.errors.TRANSIENT`: no connection is available, or it was closed.
    """
    with closed_is_transient(pool.is_closing):
        async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            with closed_is_transient(lambda: is_connection_lost(connection)):
                yield connection


def is_connection_lost(connection: Any) -> bool:
    """Return whether a connection of a pool is closed, or was returned to the pool."""
    try:
        closed: bool = connection.is_closed()
    except asyncpg.InterfaceError:  # it was returned to the pool
        return True
    return closed


async def connect(settings: Settings, schema: str, *, as_admin: bool = False) -> "asyncpg.Connection[Any]":
    """Open a connection outside the pool, for listening and for locks that are held for long.

    That of the administrator (`as_admin`) is for the migrations of the service's schema.
    """
    url = settings.postgres if as_admin else settings.postgres_as(schema)
    connection = await asyncpg.connect(url, timeout=PEER_TIMEOUT_S, server_settings=_session(schema))
    await _set_codecs(connection)
    return connection


def _session(schema: str) -> dict[str, str]:
    return {"search_path": schema, "application_name": f"souk {schema}"}


async def _set_codecs(connection: Any) -> None:
    """Make asyncpg read and write uuids as text, as in events and responses, and `jsonb` as Python values."""
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str, format="text")
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_json, decoder=orjson.loads, format="text"
    )


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _skip_reset(_connection: object) -> None:
    """Do nothing instead of asyncpg's reset: these sessions change no setting, lock or subscription."""
