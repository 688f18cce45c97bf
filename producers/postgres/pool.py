"""Connections to a service's own schema; none reaches another service's tables by accident."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from common.patience import PATIENCE_S
from common.settings import Settings
from producers.postgres.errors import closed_is_away

REQUEST_CONNECTIONS = 6
"""Statements at once for the requests of one service; the next request waits for a free connection."""

EVENT_CONNECTIONS = 4
"""The same for its events and its own work: however many events wait, no request waits behind them."""

ACQUIRE_TIMEOUT_S = 10.0
"""Longest wait for a free connection: 1,000 checkouts at once take a second or two."""

COMMAND_TIMEOUT_S = 10.0


def make_pool(settings: Settings, schema: str, most: int) -> "asyncpg.Pool[Any]":
    """A pool of so many that connects when first needed: a service starts while PostgreSQL is away."""
    return asyncpg.create_pool(
        settings.postgres,
        min_size=0,
        max_size=most,
        timeout=PATIENCE_S,
        command_timeout=COMMAND_TIMEOUT_S,
        max_inactive_connection_lifetime=300.0,
        server_settings=_session(schema),
        init=_ids_are_text,
        reset=_nothing_to_reset,
    )


@asynccontextmanager
async def acquired(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Any]:
    """A connection of the pool while the block runs.

    Raises:
        one of `producers.postgres.errors.AWAY`: there is none, or it was closed meanwhile.
    """
    with closed_is_away(pool.is_closing):
        async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            with closed_is_away(lambda: is_lost(connection)):
                yield connection


def is_lost(connection: Any) -> bool:
    """Whether a connection of a pool is closed, or was taken back."""
    try:
        closed: bool = connection.is_closed()
    except asyncpg.InterfaceError:  # the pool took it back from us
        return True
    return closed


async def connect(settings: Settings, schema: str) -> "asyncpg.Connection[Any]":
    """One connection outside of the pool, for who listens, locks or waits for long."""
    connection = await asyncpg.connect(
        settings.postgres, timeout=PATIENCE_S, server_settings=_session(schema)
    )
    await _ids_are_text(connection)
    return connection


def _session(schema: str) -> dict[str, str]:
    return {"search_path": schema, "application_name": f"souk {schema}"}


async def _ids_are_text(connection: Any) -> None:
    """A uuid comes as the text that events and answers have."""
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str, format="text")


async def _nothing_to_reset(_connection: object) -> None:
    """Sessions change no setting, take no lock and listen to nothing: asyncpg's reset is a wasted trip."""
