"""A lock in ClickHouse: one migration of a database at a time, from any home or machine."""

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
    """Hold the lock of a database inside the `with` block, waiting until it is free.

    ClickHouse has no locks, but creates a table of one name only once: the table `schema_migrating` is the
    lock. Its comment names the machine and home that hold it. Runs of one home are serialized by a lock file,
    so a table with our own name was left by a run that was killed, and is taken over.

    Raises:
        PartUnavailable: another home holds it for longer than `timeout_s`.
    """
    me = f"{socket.gethostname()}:{settings.home}"
    deadline = time.monotonic() + timeout_s
    while (holder := _take(client, me)) != me:
        if holder and time.monotonic() > deadline:
            raise PartUnavailable(
                f"{holder} has been migrating the database {client.database} for {timeout_s:.0f} s: "
                f"run this again when it is done, or drop {client.database}.{TABLE} if it was killed"
            )
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        client.command(f"DROP TABLE IF EXISTS {TABLE}")


def _take(client: Client, me: str) -> str:
    """The holder of the lock: `me` if it was free; empty if it was released meanwhile."""
    try:
        client.command(f"CREATE TABLE {TABLE} (nothing UInt8) ENGINE = Memory COMMENT {quoted(me)}")
    except DatabaseError as error:
        if "TABLE_ALREADY_EXISTS" not in str(error):
            raise
        rows = client.query(_HOLDER, {"database": client.database, "table": TABLE}).result_rows
        return str(rows[0][0]) if rows else ""
    return me
