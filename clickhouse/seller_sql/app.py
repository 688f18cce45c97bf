"""The service that runs sellers' queries: it reads their rows, and lends each query a confined process."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import aiohttp
import orjson
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from clickhouse.analytics.catalogue import AnalyticsView, read_views
from clickhouse.databases import analytics_database
from clickhouse.seller_sql import frames, limits
from clickhouse.seller_sql.limits import Limits
from clickhouse.seller_sql.processes import ProcessPool, SellerProcess, Unavailable
from clickhouse.sql_guard.errors import DatabaseError
from common.errors import SoukError
from common.host_check import is_known_host, names_of_listener
from common.metrics import CONTENT_TYPE, SELLER_QUERY_PROCESSES, SELLER_QUERY_SECONDS, exposition
from common.principal_token import InvalidToken, PrincipalTokens
from common.readiness import HEALTH_BODY, ProcessReadiness
from common.settings import Settings
from common.stopping import Stopping, drained_before_stop

CHUNK = 1 << 18
MARGIN_MS = 2 * 24 * 3600 * 1000
"""Added to both ends of a period: a bound may be in another time zone, and `now()` moves on."""


Moment = Annotated[int, Field(ge=-(1 << 62), le=1 << 62)]
"""Milliseconds since 1970."""


class ViewReading(BaseModel):
    """What a query reads of a view: columns, and time column → first and last moment, None without an end."""

    columns: list[str] = Field(min_length=1)
    bounds: dict[str, tuple[Moment | None, Moment | None]]


_READINGS = TypeAdapter(dict[str, ViewReading])


def parse_readings(message: bytes) -> dict[str, ViewReading]:
    """Return view → what the query reads of it, as the query's process says, which nobody trusts.

    Only names of the catalogue's views of sellers and of their columns pass.

    Raises:
        DatabaseError: 1001, something else is said.
    """
    try:
        readings = _READINGS.validate_json(message)
    except ValidationError:
        raise limits.broken_process() from None
    views = read_views()
    for name, reading in readings.items():
        view = views.get(name)
        columns = {column.name for column in view.columns} if view and view.is_of_sellers else set()
        if not columns.issuperset([*reading.columns, *reading.bounds]):
            raise limits.broken_process()
    return readings


class ClickHouseUnavailable(SoukError):
    """ClickHouse does not answer, or refuses the statement; the message says why."""


class SellerRows:
    """Reads rows of one seller as the API's own user. Create and close it in one running event loop.

    The statements are fixed: columns of a view, its rows of one seller, at most so many. Nothing of the
    query's text is in them. Values are typed parameters.
    """

    def __init__(self, settings: Settings, max_rows: int) -> None:
        self._max_rows = max_rows
        self._url = settings.clickhouse
        self._headers = {
            "X-ClickHouse-User": settings.clickhouse_serving_user,
            "X-ClickHouse-Key": settings.clickhouse_serving_password.get_secret_value(),
        }
        self._http = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def read(
        self, query: limits.SellerQuery, view: str, reading: ViewReading, timeout_s: float
    ) -> AsyncIterator[bytes]:
        """Yield the seller's rows of a view as ClickHouse's format Native.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer in time, or refuses.
        """
        text, parameters = _statement(read_views()[view], reading, self._max_rows + 1)
        given = {"database": query.database, "default_format": "Native", "final": "1", "join_use_nulls": "1"}
        given |= {"param_seller": _escaped(query.seller_id), "max_execution_time": f"{timeout_s:.3f}"}
        given |= {f"param_{name}": value for name, value in parameters.items()}
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._http.post(
                self._url, params=given, data=text.encode(), headers=self._headers, timeout=timeout
            ) as response:
                if response.status != 200:
                    error = DatabaseError.parse((await response.content.read(CHUNK)).decode(errors="replace"))
                    raise ClickHouseUnavailable(f"ClickHouse refuses the rows of {view}: {error}")
                async for chunk in response.content.iter_chunked(CHUNK):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClickHouseUnavailable(
                f"ClickHouse does not answer ({str(error) or type(error).__name__})"
            ) from error


def _statement(view: AnalyticsView, reading: ViewReading, limit: int) -> tuple[str, dict[str, str]]:
    """Return the statement that reads at most `limit` rows of a seller, and its parameters but the seller."""
    declared = [column.name for column in view.columns]
    conditions, parameters = ["seller_id = {seller:String}"], {"limit": str(limit)}
    for number, name in enumerate(name for name in declared if name in reading.bounds):
        low, high = reading.bounds[name]
        for sign, end, moment in ((">=", f"low_{number}", low), ("<=", f"high_{number}", high)):
            if moment is not None:
                conditions.append(f"`{name}` {sign} fromUnixTimestamp64Milli({{{end}:Int64}}, 'UTC')")
                parameters[end] = str(moment + (MARGIN_MS if sign == "<=" else -MARGIN_MS))
    selected = ", ".join(f"`{name}`" for name in declared if name in reading.columns)
    where = " AND ".join(conditions)
    return f"SELECT {selected} FROM `{view.name}` WHERE {where} LIMIT {{limit:UInt64}}", parameters


def _escaped(value: str) -> str:
    """Return a text as the value of a parameter in a URL, which ClickHouse parses as tab-separated text."""
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


MAX_WAITING = 1
"""Queries of a seller that may wait for the end of the running one; further ones are refused."""

BODY_LIMIT = 1 << 20
_JSON = "application/json"


class SellerTurns:
    """Runs the queries of one seller one after another, so that one seller can't occupy the threads of all.

    Use it from one event loop only.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Lock] = {}
        self._counts: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, seller_id: str) -> AsyncIterator[None]:
        """Wait until no other query of this seller runs, and hold the turn. An empty id needs no turn.

        Raises:
            DatabaseError: 202, another query of the seller is waiting already.
        """
        if not seller_id:
            yield
            return
        count = self._counts.get(seller_id, 0)
        if count > MAX_WAITING:
            raise DatabaseError(
                202,
                "TOO_MANY_SIMULTANEOUS_QUERIES",
                f"Too many simultaneous queries of this seller. Maximum: {1 + MAX_WAITING}.",
            )
        self._counts[seller_id] = count + 1
        try:
            async with self._running.setdefault(seller_id, asyncio.Lock()):
                yield
        finally:
            self._counts[seller_id] -= 1
            if not self._counts[seller_id]:
                del self._counts[seller_id], self._running[seller_id]


class SellerQueries:
    """Runs queries. `guard=False` leaves out the check of the query: tests show the other walls with it."""

    def __init__(self, settings: Settings, limit: Limits | None = None, *, guard: bool = True) -> None:
        database = analytics_database(settings.clickhouse_database)
        self._limit = limit = limit or Limits()
        self._rows = SellerRows(settings, limit.read_rows)
        self._turns = SellerTurns()
        self.pool = ProcessPool(lambda: SellerProcess.start(database, guard=guard))

    async def aclose(self) -> None:
        """Kill all processes, and close the connections."""
        await self.pool.aclose()
        await self._rows.aclose()

    async def run(self, query: limits.SellerQuery) -> bytes:
        """Return the result of a query over the rows of its seller, in its format.

        Raises:
            DatabaseError: the query is invalid, or sellers may not run it, or it exceeds a limit.
            Unavailable: no process can be had.
            ClickHouseUnavailable: the rows can't be read.
        """
        async with self._turns.turn(query.seller_id), self.pool.process_of(query.seller_id) as process:
            deadline = time.monotonic() + self._limit.time_s
            try:
                async with asyncio.timeout(self._limit.time_s + limits.KILL_AFTER_S):
                    return await self._run(query, process, deadline)
            except TimeoutError:
                process.kill()
                raise DatabaseError(159, "TIMEOUT_EXCEEDED", "Timeout exceeded.") from None

    async def _run(self, query: limits.SellerQuery, process: SellerProcess, deadline: float) -> bytes:
        await process.send(frames.READ, frames.to_json({"text": query.text, "params": dict(query.params)}))
        readings = parse_readings(await process.receive(frames.READINGS))
        size = 0
        for view, reading in readings.items():
            await process.send(frames.TABLE, frames.to_json({"view": view, "columns": reading.columns}))
            left = max(0.1, deadline - time.monotonic())
            async for chunk in self._rows.read(query, view, reading, left):
                size += len(chunk)
                if size > self._limit.read_bytes:
                    process.kill()
                    raise limits.too_much_to_read(read_views()[view], f"{self._limit.read_bytes >> 20} MB")
                await process.send(frames.DATA, chunk)
            await process.send(frames.END)
        left = max(0.1, deadline - time.monotonic())
        await process.send(
            frames.RUN,
            frames.to_json({"format": query.format, "seconds": left, "max_rows": self._limit.read_rows}),
        )
        return await process.receive(frames.RESULT)


def create_app(settings: Settings, readiness: ProcessReadiness, stopping: Stopping) -> ASGIApp:
    """Return the application. It starts the first process when it starts.

    Raises:
        UserError: the settings have no `internal_secret`.
    """
    tokens = PrincipalTokens(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        queries = app.state.queries = SellerQueries(settings)
        with contextlib.suppress(Unavailable):  # each query then says why
            await queries.pool.open()
        async with drained_before_stop(stopping, settings.drain_s):
            yield
        await queries.aclose()

    async def run(request: Request) -> Response:
        try:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                raise InvalidToken
            tokens.verify_sender(token, limits.AUDIENCE)
        except InvalidToken:
            return JSONResponse({"message": "only the API may send queries"}, 403)
        try:
            body = await _body(request)
            query = limits.SellerQuery.from_json(json.loads(body))
        except ValueError as error:
            return JSONResponse({"message": str(error)}, 400)
        begun, outcome = time.monotonic(), "unavailable"
        try:
            content = await request.app.state.queries.run(query)
            outcome = "answered"
        except DatabaseError as error:
            outcome = "over_limit" if error.code in limits.OVER_LIMIT else "refused"
            return JSONResponse({"code": error.code, "name": error.name, "message": error.message}, 422)
        except (Unavailable, ClickHouseUnavailable) as error:
            return JSONResponse({"message": str(error)}, 503)
        finally:
            SELLER_QUERY_SECONDS.labels(outcome).observe(time.monotonic() - begun)
        return Response(content, media_type="application/octet-stream")

    async def health(_: Request) -> Response:
        return Response(HEALTH_BODY, media_type=_JSON, headers={"Cache-Control": "no-store"})

    async def ready(request: Request) -> Response:
        body = await asyncio.to_thread(readiness.body, request.query_params.getlist("exclude"))
        return Response(orjson.dumps(body), 200 if body["ready"] else 503, media_type=_JSON)

    async def metrics(request: Request) -> Response:
        processes = request.app.state.queries.pool.processes
        warm = sum(each.seller_id is None for each in processes)
        for state, count in (("warm", warm), ("with a seller", len(processes) - warm)):
            SELLER_QUERY_PROCESSES.labels(state).set(count)
        return Response(exposition(), media_type=CONTENT_TYPE)

    routes = [Route(limits.PATH, run, methods=["POST"]), Route("/health", health), Route("/ready", ready)]
    app = Starlette(routes=[*routes, Route("/metrics", metrics)], lifespan=lifespan)
    return _OnlyKnownHosts(app, names_of_listener(settings.listen_host))


class _OnlyKnownHosts:
    """Refuses requests that a web page may have sent, by another host name or with an origin."""

    def __init__(self, app: ASGIApp, names: list[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if not is_known_host(headers.get("host", ""), self._names) or "origin" in headers:
                refusal = JSONResponse({"message": "only programs of the platform may ask"}, 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            raise ValueError(f"the body has more than {BODY_LIMIT} bytes")
    return bytes(content)
