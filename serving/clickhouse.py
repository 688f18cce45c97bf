"""Asks ClickHouse: the named queries of `clickhouse/queries/`, over HTTP, as the reader."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import httpx
import orjson

import clickhouse
from common.metrics import QUERY_SECONDS
from common.settings import Settings
from serving.problems import ClickHouseUnavailable

QUERIES = Path(clickhouse.__file__).parent / "queries"
"""One `.sql` file a query, with typed parameters."""

CONNECTIONS = 8
"""Queries at once; the next waits for a free connection, at most `POOL_TIMEOUT_S`."""

QUERY_TIMEOUT_S = 10.0
POOL_TIMEOUT_S = 3.0

NOT_READY_CODES = {
    "60": "a table is missing",
    "81": "its database is missing",
    "516": "it refuses the reader",
}
"""ClickHouse's error codes that mean: the platform is not (or not rightly) up."""

BUSY_CODES = {"159", "202", "241"}
"""Timed out, too many queries at once, out of memory."""

Value = str | int | datetime | list[str]
Row = dict[str, Any]

_TSV = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"}
)


class QueryFailed(Exception):
    """ClickHouse refused a query of ours: a bug, with ClickHouse's own words."""


def load_queries(folder: Path = QUERIES) -> dict[str, str]:
    """Read every query: file name without `.sql` → text."""
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.sql"))}


def encode_parameter(value: Value) -> str:
    """Write a value as ClickHouse's HTTP interface reads parameters: text TSV-escaped, lists as literals.

    Datetimes must be aware; they are written in UTC, to the millisecond where they have any.
    """
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None)
        return moment.isoformat(" ", "milliseconds" if moment.microsecond else "seconds")
    if isinstance(value, list):
        quoted = ("'" + item.replace("\\", "\\\\").replace("'", "\\'") + "'" for item in value)
        return "[" + ",".join(quoted) + "]"
    return str(value).translate(_TSV)


class ClickHouse:
    """A keep-alive pool of connections that runs named queries. Use it as an async context manager."""

    def __init__(self, settings: Settings, queries: Mapping[str, str]) -> None:
        self._queries = queries
        self._url = settings.clickhouse
        self._client = httpx.AsyncClient(
            base_url=settings.clickhouse,
            params={"database": settings.clickhouse_database, "default_format": "JSONCompact"},
            headers={
                "X-ClickHouse-User": settings.clickhouse_serving_user,
                "X-ClickHouse-Key": settings.clickhouse_serving_password.get_secret_value(),
            },
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            timeout=httpx.Timeout(QUERY_TIMEOUT_S, connect=2.0, pool=POOL_TIMEOUT_S),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def rows(self, query: str, **parameters: Value) -> list[Row]:
        """Run the query of that name; each row is a dict of column → JSON value.

        Raises:
            ClickHouseUnavailable: it does not answer, is overloaded, or is not set up.
            QueryFailed: it refused the query.
        """
        started = perf_counter()
        encoded = {f"param_{name}": encode_parameter(value) for name, value in parameters.items()}
        try:
            response = await self._client.post("/", params=encoded, content=self._queries[query])
        except httpx.TransportError as error:
            raise ClickHouseUnavailable(
                f"ClickHouse at {self._url} does not answer ({type(error).__name__}). "
                "See ./souk status; ./souk up starts what is missing."
            ) from error
        if response.status_code != 200:
            raise self._failure(query, response)
        answer = orjson.loads(response.content)
        names = [column["name"] for column in answer["meta"]]
        QUERY_SECONDS.labels(query).observe(perf_counter() - started)
        return [dict(zip(names, values, strict=True)) for values in answer["data"]]

    async def row(self, query: str, **parameters: Value) -> Row | None:
        """The only row of a query that has at most one."""
        rows = await self.rows(query, **parameters)
        return rows[0] if rows else None

    async def together(self, *asked: tuple[str, dict[str, Value]]) -> list[list[Row]]:
        """Run several queries at once; their rows in the order asked."""
        return list(await asyncio.gather(*(self.rows(name, **parameters) for name, parameters in asked)))

    def _failure(self, query: str, response: httpx.Response) -> Exception:
        code = response.headers.get("X-ClickHouse-Exception-Code", "")
        if code in BUSY_CODES or response.status_code in (429, 502, 503, 504):
            return ClickHouseUnavailable("ClickHouse is overloaded. Try again, or ask for a shorter period.")
        if code in NOT_READY_CODES:
            return ClickHouseUnavailable(
                f"ClickHouse answers but {NOT_READY_CODES[code]}. ./souk up sets it up."
            )
        return QueryFailed(f"query {query}: {response.text[:2000]}")
