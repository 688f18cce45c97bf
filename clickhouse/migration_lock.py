"""A lock in ClickHouse, so that only one home on one machine migrates a database at a time."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from clickhouse.literals import quoted
from common.errors import PartUnavailable
from common.settings import Settings

TABLE = "schema_migrating"
WAIT_TIMEOUT_S = 60.0
_POLL_S = 0.2

_HOLDER = """
SELECT comment FROM system.tables WHERE database = {database:String} AND name = {table:String}
"""


@contextmanager
def migration_lock(client: Client, settings: Settings, timeout_s: float = WAIT_TIMEOUT_S) -> Iterator[None]:
    """Hold the migration lock of the client's database inside the `with` block; wait until it is free.

    ClickHouse has no locks, but it creates a table of a given name only once, so the table `schema_migrating`
    is the lock. Its comment names the machine and the home that hold it. A lock file serializes the runs of
    one home. Therefore a table that names this home was left by a killed run, and is taken over.

    Raises:
        PartUnavailable: another home holds the lock for longer than `timeout_s`.
    """
    own_name = f"{socket.gethostname()}:{settings.home}"
    deadline = time.monotonic() + timeout_s
    while (holder := _take(client, own_name)) != own_name:
        if holder and time.monotonic() > deadline:
            raise PartUnavailable(
                f"{holder} has been migrating the database {client.database} for {timeout_s:.0f} s: "
                "run this again when the migration is done, "
                f"or drop {client.database}.{TABLE} if it was killed"
            )
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        if _holder(client) == own_name:  # if the table was dropped, another home may hold the lock now
            client.command(f"DROP TABLE IF EXISTS {TABLE}")


def is_locked(client: Client) -> bool:
    """Return whether a home holds the migration lock of the client's database, or was killed holding it."""
    return _holder(client) != ""


def _take(client: Client, own_name: str) -> str:
    """Try to take the lock; return its holder, which is `own_name` on success, or "" if it was released."""
    try:
        client.command(f"CREATE TABLE {TABLE} (nothing UInt8) ENGINE = Memory COMMENT {quoted(own_name)}")
    except DatabaseError as error:
        if "TABLE_ALREADY_EXISTS" not in str(error):
            raise
        return _holder(client)
    return own_name


def _holder(client: Client) -> str:
    """Return the name of the lock's holder, or "" if nobody holds the lock."""
    rows = client.query(_HOLDER, {"database": client.database, "table": TABLE}).result_rows
    return str(rows[0][0]) if rows else ""
