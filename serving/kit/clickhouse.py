"""Runs the named queries of `clickhouse/queries/` over HTTP, as the user `serving`."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import orjson
import structlog

from clickhouse.literals import quoted
from common.http_client import HttpClient, HttpResponse, RequestFailed
from common.metrics import QUERY_SECONDS
from common.settings import Settings
from common.timeouts import CLIENT_KEEPALIVE_S, PEER_TIMEOUT_S
from common.tracing import child_span
from serving.kit.circuit_breaker import BreakerOpen, CircuitBreaker
from serving.kit.problems import ClickHouseUnavailable

log = structlog.get_logger()

_CLICKHOUSE = {"db.system.name": "clickhouse"}
"""Attributes of the span of a query."""

CONNECTIONS = 8
"""The largest number of queries at the same time. A further query waits for a free connection."""

NOT_READY_CODES = {
    "60": "a table is missing",
    "81": "its database is missing",
    "516": "it rejects the login of the serving user",
}
"""ClickHouse's error codes if the platform is not set up completely."""

BUSY_CODES = {"159": "timeout", "202": "too many queries at once", "241": "too little memory"}
"""ClickHouse's error codes if it has too much to do."""

LOOKUPS = frozenset(
    (
        "as_of",
        "order_states",
        "product",
        "seller",
        "seller_orders",
        "seller_reviews",
        "seller_span",
        "seller_visitors",
    )
)
"""Queries that read a few granules by key, on one thread. A second thread would cost a seventh more CPU."""

ONE_THREAD = {"max_threads": "1"}

Value = str | int | datetime | list[str] | list[int]
Row = dict[str, Any]
T = TypeVar("T")

_TSV = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"}
)


class QueryFailed(Exception):
    """ClickHouse rejected a query, which is a bug. The message is ClickHouse's."""


def encode_parameter(value: Value) -> str:
    """Return a value as ClickHouse's HTTP interface expects parameters: TSV-escaped text, or a list literal.

    A datetime must be aware. It is written in UTC, with milliseconds only if it has any.
    """
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None)
        return moment.isoformat(" ", "milliseconds" if moment.microsecond else "seconds")
    if isinstance(value, list):
        return "[" + ",".join(str(each) if isinstance(each, int) else quoted(each) for each in value) + "]"
    return str(value).translate(_TSV)


class ClickHouseQueries:
    """Runs named queries on a pool of connections. Use it as an async context manager."""

    def __init__(self, settings: Settings, queries: Mapping[str, str]) -> None:
        self._queries = queries
        self._url = settings.clickhouse
        self._common_parameters = {"database": settings.clickhouse_database, "default_format": "JSONCompact"}
        self._headers = (
            ("X-ClickHouse-User", settings.clickhouse_serving_user),
            ("X-ClickHouse-Key", settings.clickhouse_serving_password.get_secret_value()),
        )
        self.breaker = CircuitBreaker("clickhouse", (RequestFailed,))
        self._http = HttpClient(
            settings.clickhouse, CONNECTIONS, CLIENT_KEEPALIVE_S, PEER_TIMEOUT_S, PEER_TIMEOUT_S
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def rows(self, query: str, **parameters: Value) -> list[Row]:
        """Run a query of the folder and return its rows, each a dict from column to JSON value.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer, is overloaded, or is not set up.
            QueryFailed: ClickHouse rejected the query.
        """
        settings = ONE_THREAD if query in LOOKUPS else {}
        return await self._run(query, self._queries[query], parameters, settings)

    async def rows_of_sql(self, name: str, sql: str, parameters: Mapping[str, Value]) -> list[Row]:
        """Run a query that was written for a request, as `rows` runs one of the folder, on one thread.

        `name` stands for it in metrics and messages. What a caller chooses must be a parameter, never SQL.
        """
        return await self._run(name, sql, parameters, ONE_THREAD)

    async def arrow_of_sql(self, name: str, sql: str, parameters: Mapping[str, Value]) -> bytes:
        """Run a query as `rows_of_sql` does, and return its result in Arrow's streaming format."""
        return await self._send(name, sql, parameters, {**ONE_THREAD, "default_format": "ArrowStream"})

    async def _run(
        self, query: str, sql: str, parameters: Mapping[str, Value], settings: Mapping[str, str]
    ) -> list[Row]:
        result = orjson.loads(await self._send(query, sql, parameters, settings))
        names = [column["name"] for column in result["meta"]]
        return [dict(zip(names, values, strict=True)) for values in result["data"]]

    async def _send(
        self, query: str, sql: str, parameters: Mapping[str, Value], settings: Mapping[str, str]
    ) -> bytes:
        started = perf_counter()
        url_parameters = {f"param_{name}": encode_parameter(value) for name, value in parameters.items()}
        try:
            with (
                child_span(f"query {query}", "client", _CLICKHOUSE),
                self.breaker.attempt() as attempt,
            ):
                response = await self._http.request(
                    "POST",
                    "/?" + urlencode({**self._common_parameters, **settings, **url_parameters}),
                    self._headers,
                    sql.encode(),
                    idempotent=True,
                )
                if _is_overloaded(response):
                    attempt.failed()
        except BreakerOpen as error:
            raise ClickHouseUnavailable(
                f"ClickHouse at {self._url} does not answer. "
                f"It is tried again in {error.retry_after_s} s; see ./souk status.",
                error.retry_after_s,
            ) from error
        except RequestFailed as error:
            raise ClickHouseUnavailable(
                f"ClickHouse at {self._url} does not answer ({error}). "
                "See ./souk status; ./souk up starts what is missing."
            ) from error
        if response.status != 200:
            raise self._failure(query, response)
        QUERY_SECONDS.labels(query).observe(perf_counter() - started)
        return response.content

    async def row(self, query: str, **parameters: Value) -> Row | None:
        """Run a query that returns at most one row, and return that row; None if there is none."""
        rows = await self.rows(query, **parameters)
        return rows[0] if rows else None

    async def rows_of_all(self, *queries: tuple[str, dict[str, Value]]) -> list[list[Row]]:
        """Run several queries at the same time and return the rows of each, in this order."""
        return list(await asyncio.gather(*(self.rows(name, **parameters) for name, parameters in queries)))

    def _failure(self, query: str, response: HttpResponse) -> Exception:
        if _is_overloaded(response):
            reason = BUSY_CODES.get(_error_code(response), f"status {response.status}")
            log.warning("ClickHouse is overloaded", query=query, reason=reason)
            return ClickHouseUnavailable("ClickHouse is overloaded. Try again, or request a shorter period.")
        code = _error_code(response)
        if code in NOT_READY_CODES:
            return ClickHouseUnavailable(
                f"ClickHouse answers but {NOT_READY_CODES[code]}. ./souk up sets it up."
            )
        message = response.content.decode(errors="replace")
        return QueryFailed(f"query {query}: {message[:2000]}")


def _is_overloaded(response: HttpResponse) -> bool:
    return response.status != 200 and (
        response.status in (429, 502, 503, 504) or _error_code(response) in BUSY_CODES
    )


def _error_code(response: HttpResponse) -> str:
    codes = (value for name, value in response.headers if name.lower() == b"x-clickhouse-exception-code")
    return next(codes, b"").decode()


async def unless_unavailable(answer: Awaitable[T]) -> T | None:
    """Return an answer; None if ClickHouse can't give it, and no earlier one is known."""
    try:
        return await answer
    except ClickHouseUnavailable:
        return None
