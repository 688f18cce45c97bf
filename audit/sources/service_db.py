"""Reads the tables of the commerce services in PostgreSQL, all in one snapshot, as Arrow tables."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg
import pyarrow as pa

from audit.table_comparison import KeyFilter
from common.errors import PartUnavailable
from schemas.services import SERVICES

T = TypeVar("T")

QUERIES = Path(__file__).resolve().parent.parent / "queries"
_SERVICE = "{service}"
_BATCH = 20_000
_CONNECT_S = 5.0

_ARROW = {"text": pa.string(), "int8": pa.int64(), "int4": pa.int64(), "bool": pa.bool_()}
"""The PostgreSQL types that the queries return; they cast ids to text and times to milliseconds."""

TRANSIENT = (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)


class ServiceDatabase:
    """PostgreSQL's side of a comparison; `with` closes it. The first query connects.

    All queries read one snapshot (`REPEATABLE READ`, read-only), which begins with the first query or with
    `take_snapshot`. Every method raises PartUnavailable if PostgreSQL does not answer.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._disconnect()
        self._runner.close()

    def take_snapshot(self) -> None:
        """Take a new snapshot for all following queries."""
        self._disconnect()
        self._run(self._snapshot)

    def exists(self) -> bool:
        """Return whether the services have ever created their tables."""
        return self.query("cut/outboxes") is not None

    def query(self, name: str, keys: KeyFilter | None = None) -> pa.Table | None:
        """Run `audit/queries/<name>.sql` in the snapshot, for all keys or for some.

        Returns None if a table does not exist.
        """
        return self._run(lambda: self._in_snapshot(_sql(name, keys), keys))

    def query_now(self, name: str) -> pa.Table | None:
        """Run `audit/queries/<name>.sql` outside the snapshot, on the newest data."""
        return self._run(lambda: self._now(_sql(name, None)))

    def work_under_way(self) -> int:
        """Return how many events wait in outboxes and how many payments and refunds wait for the provider."""
        tables = (self.query_now(name) for name in ("outboxes/actual", "cut/under_way"))
        return sum(sum(table["waiting"].to_pylist()) for table in tables if table is not None)

    def _run(self, request: Callable[[], Awaitable[T]]) -> T:
        async def awaited() -> T:
            return await request()

        try:
            return self._runner.run(awaited())
        except TRANSIENT as error:
            raise PartUnavailable(
                f"PostgreSQL at {self._url.rpartition('@')[2]} does not answer: {error}"
            ) from error

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _snapshot(self) -> "asyncpg.Connection[Any]":
        if self._connection is None:
            connection = await asyncpg.connect(self._url, timeout=_CONNECT_S)
            await connection.transaction(isolation="repeatable_read", readonly=True).start()
            await connection.execute("SELECT 1")  # a snapshot begins with the first statement
            self._connection = connection
        return self._connection

    async def _in_snapshot(self, sql: str, keys: KeyFilter | None) -> pa.Table | None:
        return await _read(await self._snapshot(), sql, keys)

    async def _now(self, sql: str) -> pa.Table | None:
        connection = await asyncpg.connect(self._url, timeout=_CONNECT_S)
        try:
            return await _read(connection, sql, None)
        finally:
            await connection.close()


def _sql(name: str, keys: KeyFilter | None) -> str:
    """Return the query of a file. If it says `{service}`, it is asked of every commerce service."""
    sql = (QUERIES / f"{name}.sql").read_text(encoding="utf-8").rstrip().removesuffix(";")
    if _SERVICE in sql:
        sql = "\nUNION ALL\n".join(sql.replace(_SERVICE, service) for service in SERVICES)
    return sql if keys is None else f"SELECT * FROM (\n{sql}\n) AS result WHERE {keys.column}::text = ANY($1)"


async def _read(connection: "asyncpg.Connection[Any]", sql: str, keys: KeyFilter | None) -> pa.Table | None:
    arguments = [] if keys is None else [list(keys.values)]
    try:
        async with connection.transaction():  # a savepoint inside a snapshot: an error does not end it
            statement = await connection.prepare(sql)
            columns = statement.get_attributes()
            schema = pa.schema([(column.name, _ARROW[column.type.name]) for column in columns])
            cursor = await statement.cursor(*arguments)
            batches = []
            while rows := await cursor.fetch(_BATCH):
                values = zip(*rows, strict=True)
                arrays = [pa.array(column, kind) for column, kind in zip(values, schema.types, strict=True)]
                batches.append(pa.record_batch(arrays, schema=schema))
            return pa.Table.from_batches(batches, schema)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return None
