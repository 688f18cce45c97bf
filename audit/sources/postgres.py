"""Reads the books of the commerce services in PostgreSQL, all at one moment, as Arrow tables."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import asyncpg
import pyarrow as pa

from common.errors import PartUnavailable

T = TypeVar("T")

QUERIES = Path(__file__).resolve().parent.parent / "queries"
_BATCH = 20_000
_CONNECT_S = 5.0

_ARROW = {"text": pa.string(), "int8": pa.int64(), "int4": pa.int64(), "bool": pa.bool_()}
"""PostgreSQL's types that the queries answer in; they cast ids to text and times to milliseconds."""

AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)


class Books:
    """PostgreSQL's side of a comparison; `with` closes it. Nothing connects before the first query.

    All queries see the books as they were at the first one, and change nothing. Every method raises
    PartUnavailable where PostgreSQL does not answer.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._runner.close()

    def query(self, name: str) -> pa.Table | None:
        """The answer of `audit/queries/<name>.sql`; None where the services have never made their tables."""
        sql = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
        return self._run(lambda: self._of_the_moment(sql))

    def under_way(self) -> int | None:
        """What the services have begun and not yet said, now: events to send, payments to ask for.

        None where they have never made their tables.
        """
        sql = (QUERIES / "settled" / "under_way.sql").read_text(encoding="utf-8")
        table = self._run(lambda: self._now(sql))
        return None if table is None else int(table["under_way"][0].as_py())

    def _run(self, ask: Callable[[], Awaitable[T]]) -> T:
        async def asked() -> T:
            return await ask()

        try:
            return self._runner.run(asked())
        except AWAY as error:
            reason = f"PostgreSQL at {self._url.rpartition('@')[2]} does not answer: {error}"
            raise PartUnavailable(reason) from error

    async def _of_the_moment(self, sql: str) -> pa.Table | None:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url, timeout=_CONNECT_S)
            await self._connection.transaction(isolation="repeatable_read", readonly=True).start()
        return await _read(self._connection, sql)

    async def _now(self, sql: str) -> pa.Table | None:
        connection = await asyncpg.connect(self._url, timeout=_CONNECT_S)
        try:
            return await _read(connection, sql)
        finally:
            await connection.close()


async def _read(connection: "asyncpg.Connection[Any]", sql: str) -> pa.Table | None:
    try:
        async with connection.transaction():  # a savepoint, where one is open: a failed query must not end it
            statement = await connection.prepare(sql)
            columns = statement.get_attributes()
            schema = pa.schema([(column.name, _ARROW[column.type.name]) for column in columns])
            cursor = await statement.cursor()
            batches = []
            while rows := await cursor.fetch(_BATCH):
                values = zip(*rows, strict=True)
                arrays = [pa.array(one, kind) for one, kind in zip(values, schema.types, strict=True)]
                batches.append(pa.record_batch(arrays, schema=schema))
            return pa.Table.from_batches(batches, schema)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return None
