"""Has queries that sellers write run by the service `clickhouse.seller_sql`, over rows of the seller."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from clickhouse.analytics.catalogue import read_views
from clickhouse.databases import analytics_database
from clickhouse.seller_sql.limits import (
    AUDIENCE,
    ENDED,
    MAX_ROWS,
    OVER_LIMIT,
    PATH,
    TOO_MUCH_TO_READ,
    SellerQuery,
)
from common.http_client import HttpClient, HttpResponse, RequestFailed
from common.principal_token import PrincipalTokens
from common.problems import PartProblem, problem
from common.settings import Settings
from common.timeouts import CLIENT_KEEPALIVE_S, PEER_TIMEOUT_S
from serving.kit.clickhouse import encode_parameter
from serving.kit.watermarks import WatermarkCache

MAX_QUERY_LENGTH = 20_000
"""In characters."""

MAX_PARAMETERS = 20

_NUMBER = re.compile(r"(?:Nullable\(|LowCardinality\()*(?:U?Int|Float|BFloat|Decimal)")

ParameterName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
ParameterValue = Annotated[str, Field(max_length=1_000)] | int | float | bool


class SqlRequest(BaseModel):
    """A query over the views of `docs/data-dictionary.md`, with values for `{name:Type}` in it."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_LENGTH)]
    parameters: Annotated[dict[ParameterName, ParameterValue], Field(max_length=MAX_PARAMETERS)] = {}


class SqlColumn(TypedDict):
    """A column of a result. `type` is ClickHouse's."""

    name: str
    type: str


class SqlResult(TypedDict):
    """The result of a query.

    A row is a list with a value for each column: decimals, and integers of more than 18 digits, are strings.
    `truncated`: there were more rows. `as_of` is null if a table behind the query was never written.
    """

    columns: list[SqlColumn]
    rows: list[list[Any]]
    truncated: bool
    as_of: datetime | None


def is_numeric(column_type: str) -> bool:
    """Return whether a column of this type of ClickHouse has numbers."""
    return _NUMBER.match(column_type) is not None


QUERY_REFUSED = problem(422, "query-refused", "This query can't be run", "{detail}")
"""A seller's query is invalid, or reads what sellers may not read."""

QUERY_OVER_LIMIT = problem(422, "query-over-limit", "This query is too large", "{detail}")
"""A seller's query exceeds a limit of time, memory or rows."""

SELLER_SQL_UNAVAILABLE = problem(
    503, "seller-sql-unavailable", "Queries can't be run now", "{detail}", retry_after_s=5, error=PartProblem
)
"""The service that runs the queries of sellers does not answer, or can't run any query now."""

CONNECTIONS = 16
"""The largest number of sellers' queries of a process at a time. The service runs one of each seller."""

READ_TIMEOUT_S = 13.0
"""Longer than the limit of a query in the service, shorter than that of the gateway for a read."""

_BUSY = frozenset({202, 439})
_EXACT_INTEGER = re.compile(r"-?\d{1,18}")
_INTERNALS = re.compile(
    r"(?:: )?[Ww]hile (?:executing|processing) .*|\. In scope .*|\. Maybe you meant.*", re.DOTALL
)
"""The parts of an error's message that are about the engine's plan."""


@dataclass(frozen=True, slots=True)
class SqlFile:
    """The result of a query as a Parquet file. `truncated` and `as_of` are as in `SqlResult`."""

    content: bytes
    truncated: bool
    as_of: datetime | None


class SellerSql:
    """Runs queries on connections of their own. Create it in a running event loop."""

    def __init__(self, settings: Settings, watermarks: WatermarkCache) -> None:
        self._database = analytics_database(settings.clickhouse_database)
        self._tokens = PrincipalTokens(settings)
        self._watermarks = watermarks
        self._http = HttpClient(
            settings.seller_sql, CONNECTIONS, CLIENT_KEEPALIVE_S, PEER_TIMEOUT_S, READ_TIMEOUT_S
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def run(self, seller_id: str, query: str, parameters: Mapping[str, Any]) -> SqlResult:
        """Run a query over the rows of a seller.

        Raises:
            QUERY_REFUSED: the query is invalid, or reads what sellers may not read.
            QUERY_OVER_LIMIT: the query needs too much time, memory or rows.
            SELLER_SQL_UNAVAILABLE: the service does not answer, is busy, or can't run any query.
        """
        as_of = await self._as_of(query)
        content = await self._send(seller_id, query, parameters, "JSONCompact")
        return {**await asyncio.to_thread(read_result, content), "as_of": as_of}

    async def run_to_parquet(self, seller_id: str, query: str, parameters: Mapping[str, Any]) -> SqlFile:
        """Run a query over the rows of a seller, and return its result as ClickHouse writes it to Parquet.

        Raises: as `run`.
        """
        as_of = await self._as_of(query)
        content = await self._send(seller_id, query, parameters, "Parquet")
        content, truncated = await asyncio.to_thread(_first_rows, content)
        return SqlFile(content, truncated, as_of)

    async def _as_of(self, query: str) -> datetime | None:
        return await self._watermarks.as_of(sources) if (sources := sources_of(query)) else None

    async def _send(self, seller_id: str, query: str, parameters: Mapping[str, Any], form: str) -> bytes:
        params = {name: encode_parameter(_text(value)) for name, value in parameters.items()}
        asked = SellerQuery(seller_id, self._database, query, params, form)
        headers = [("Authorization", f"Bearer {self._tokens.make(None, AUDIENCE)}")]
        try:
            body = orjson.dumps(asked.to_json())
            response = await self._http.request("POST", PATH, headers, body, idempotent=True)
        except RequestFailed as error:
            raise SELLER_SQL_UNAVAILABLE(
                detail=f"The service that runs queries of sellers does not answer ({error}). ./souk up "
                "starts it; in the stack of containers it belongs to the profile sql."
            ) from error
        if response.status != 200:
            raise _problem(response)
        return response.content


def sources_of(query: str) -> list[str]:
    """Return the tables behind the views whose names are words of a query."""
    words = set(re.findall(r"\w+", query))
    return sorted({table for name, view in read_views().items() if name in words for table in view.sources})


def read_result(content: bytes) -> SqlResult:
    """Parse ClickHouse's JSONCompact, whose rows are at most one more than `MAX_ROWS`."""
    found = json.loads(content.decode(errors="replace"), parse_int=_integer)
    columns: list[SqlColumn] = [{"name": each["name"], "type": each["type"]} for each in found["meta"]]
    rows = found["data"]
    return {"columns": columns, "rows": rows[:MAX_ROWS], "truncated": len(rows) > MAX_ROWS, "as_of": None}


def _first_rows(content: bytes) -> tuple[bytes, bool]:
    """Return the first `MAX_ROWS` rows of a Parquet file as such a file, and whether there are more."""
    if pq.read_metadata(pa.BufferReader(content)).num_rows <= MAX_ROWS:
        return content, False
    sink = pa.BufferOutputStream()
    pq.write_table(pq.read_table(pa.BufferReader(content)).slice(0, MAX_ROWS), sink)
    return sink.getvalue().to_pybytes(), True


def _integer(text: str) -> int | str:
    return int(text) if _EXACT_INTEGER.fullmatch(text) else text


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(response: HttpResponse) -> Exception:
    """Return the problem of a response that is no result."""
    try:
        found = orjson.loads(response.content)
        code, name, message = int(found.get("code", 0)), found.get("name", ""), str(found["message"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return SELLER_SQL_UNAVAILABLE(
            detail=f"The service that runs queries of sellers answers {response.status}."
        )
    if response.status != 422:
        return SELLER_SQL_UNAVAILABLE(detail=f"Queries of sellers can't be run: {message}.")
    if code in _BUSY:
        return SELLER_SQL_UNAVAILABLE(
            detail="Another query of this seller is running. Try again in a moment."
        )
    if name in (TOO_MUCH_TO_READ, ENDED):
        return QUERY_OVER_LIMIT(detail=message)
    if code in OVER_LIMIT:
        return QUERY_OVER_LIMIT(detail=OVER_LIMIT[code])
    message = _INTERNALS.sub("", message).strip().removesuffix(".")
    return QUERY_REFUSED(detail=f"{message[:1000]}.")
