"""Asks ClickHouse: the named queries of `clickhouse/queries/`, over HTTP, as the reader."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Self
from urllib.parse import urlencode

import orjson

import clickhouse
from clickhouse.literals import quoted
from common.http_client import HttpAnswer, HttpClient, NoAnswer
from common.metrics import QUERY_SECONDS
from common.patience import CLIENTS_KEEP_S, PATIENCE_S
from common.settings import Settings
from serving.problems import ClickHouseUnavailable

QUERIES = Path(clickhouse.__file__).parent / "queries"
"""One `.sql` file a query, with typed parameters."""

CONNECTIONS = 8
"""Queries at once; the next waits for a free connection."""

NOT_READY_CODES = {
    "60": "a table is missing",
    "81": "its database is missing",
    "516": "it refuses the reader",
}
"""ClickHouse's error codes that mean: the platform is not (or not rightly) up."""

BUSY_CODES = {"159", "202", "241"}
"""Timed out, too many queries at once, out of memory."""

LOOKUPS = frozenset(
    (
        "as_of",
        "order_states",
        "product",
        "seller",
        "seller_orders",
        "seller_products",
        "seller_sales",
        "seller_span",
    )
)
"""Queries that read a few granules by their key: a second thread would cost a seventh more CPU, and wait."""

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
        return "[" + ",".join(map(quoted, value)) + "]"
    return str(value).translate(_TSV)


class ClickHouse:
    """A keep-alive pool of connections that runs named queries. Use it as an async context manager."""

    def __init__(self, settings: Settings, queries: Mapping[str, str]) -> None:
        self._queries = queries
        self._url = settings.clickhouse
        self._everywhere = {"database": settings.clickhouse_database, "default_format": "JSONCompact"}
        self._headers = (
            ("X-ClickHouse-User", settings.clickhouse_serving_user),
            ("X-ClickHouse-Key", settings.clickhouse_serving_password.get_secret_value()),
        )
        self._http = HttpClient(settings.clickhouse, CONNECTIONS, CLIENTS_KEEP_S, PATIENCE_S, PATIENCE_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def rows(self, query: str, **parameters: Value) -> list[Row]:
        """Run the query of that name; each row is a dict of column → JSON value.

        Raises:
            ClickHouseUnavailable: it does not answer, is overloaded, or is not set up.
            QueryFailed: it refused the query.
        """
        started = perf_counter()
        asked = {f"param_{name}": encode_parameter(value) for name, value in parameters.items()}
        if query in LOOKUPS:
            asked["max_threads"] = "1"
        try:
            response = await self._http.ask(
                "POST",
                "/?" + urlencode(self._everywhere | asked),
                self._headers,
                self._queries[query].encode(),
                repeatable=True,
            )
        except NoAnswer as error:
            raise ClickHouseUnavailable(
                f"ClickHouse at {self._url} does not answer ({error}). "
                "See ./souk status; ./souk up starts what is missing."
            ) from error
        if response.status != 200:
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

    def _failure(self, query: str, response: HttpAnswer) -> Exception:
        codes = (value for name, value in response.headers if name.lower() == b"x-clickhouse-exception-code")
        code = next(codes, b"").decode()
        if code in BUSY_CODES or response.status in (429, 502, 503, 504):
            return ClickHouseUnavailable("ClickHouse is overloaded. Try again, or ask for a shorter period.")
        if code in NOT_READY_CODES:
            return ClickHouseUnavailable(
                f"ClickHouse answers but {NOT_READY_CODES[code]}. ./souk up sets it up."
            )
        said = response.content.decode(errors="replace")
        return QueryFailed(f"query {query}: {said[:2000]}")
