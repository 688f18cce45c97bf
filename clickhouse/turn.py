"""One migration of a database at a time, from whichever home."""

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
PATIENCE_S = 60.0
_POLL_S = 0.2

_HOLDER = """
SELECT comment FROM system.tables WHERE database = {database:String} AND name = {table:String}
"""


@contextmanager
def turn(client: Client, settings: Settings, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the table `schema_migrating` of a database: ClickHouse has no locks, but makes a table once.

    Its comment names machine and home. The runs of one home wait for each other before they come here, so a
    table of one's own was left by a run that was killed, and is taken over.

    Raises:
        PartUnavailable: another home holds it for longer than `patience_s`.
    """
    me = f"{socket.gethostname()}:{settings.home}"
    deadline = time.monotonic() + patience_s
    while (holder := _take(client, me)) != me:
        if holder and time.monotonic() > deadline:
            raise PartUnavailable(
                f"{holder} has been migrating the database {client.database} for {patience_s:.0f} s: "
                f"run this again when it is done, or drop {client.database}.{TABLE} if it was killed"
            )
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        client.command(f"DROP TABLE IF EXISTS {TABLE}")


def _take(client: Client, me: str) -> str:
    """Who holds the table now: `me` if it was free; nobody if it went away meanwhile."""
    try:
        client.command(f"CREATE TABLE {TABLE} (nothing UInt8) ENGINE = Memory COMMENT {quoted(me)}")
    except DatabaseError as error:
        if "TABLE_ALREADY_EXISTS" not in str(error):
            raise
        rows = client.query(_HOLDER, {"database": client.database, "table": TABLE}).result_rows
        return str(rows[0][0]) if rows else ""
    return me
