"""The HTTP interface, as an ASGI application, and the server that runs it until a signal ends the process."""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
import uvicorn

from clickhouse.engine import Engine
from clickhouse.sql_guard.errors import DatabaseError
from common import gc_tuning
from common.host_check import is_known_host
from common.http_protocol import DeadlineProtocol, server_config
from common.metrics import (
    CLICKHOUSE_ERRORS,
    CLICKHOUSE_ROWS,
    CLICKHOUSE_RUNNING,
    CLICKHOUSE_SECONDS,
    CONTENT_TYPE,
    exposition,
)
from common.settings import Settings
from local.embedded_clickhouse.config import config_file
from local.embedded_clickhouse.connections import RequestConnections
from local.embedded_clickhouse.query_execution import QueryExecution, QueryOutcome, ValidationCache
from local.embedded_clickhouse.request import Request, read_request
from local.embedded_clickhouse.response_writer import ResponseAborted, ResponseWriter, Send
from local.embedded_clickhouse.streams import BodyStream, Receive, ResultPipe
from local.embedded_clickhouse.users import Pool, User, Users
from local.embedded_clickhouse.watchdog import Client, Watchdog, place_of
from local.embedded_clickhouse.worker_pool import WorkerPool

Scope = MutableMapping[str, Any]

log = structlog.get_logger()

_TEXT = "text/plain; charset=UTF-8"
_KILL_INTERVAL_S = 0.1

THREADS: dict[Pool, int] = {"reader": 4, "serving": 8, "writer": 8}
"""Queries of each pool that run at once. Four readers at their memory limit leave memory for the others."""

SHARES: dict[Pool, int] = {"reader": 2}
"""Threads of a pool in which the queries of one client, a user at an address, may run at once."""

MAX_QUEUED = 56
"""Queries of each pool that may wait for a thread; further queries are refused."""


class HostCheck:
    """Refuses requests that web pages of other sites send through a browser on this machine.

    The reader has no password, because the server listens on loopback only. A web page could still reach it
    by a cross-site request, or by a host name that resolves to 127.0.0.1 (DNS rebinding). It accepts loopback
    names and addresses, and the hosts in `names`, separated by commas.
    """

    def __init__(self, names: str = "") -> None:
        self._names = frozenset(filter(None, (name.strip().lower() for name in names.split(","))))

    def refusal(self, headers: Mapping[bytes, bytes]) -> DatabaseError | None:
        """Return the error for a request with these headers (lower-case names), or None if it is allowed."""
        host, origin = (headers.get(name, b"").decode("latin-1") for name in (b"host", b"origin"))
        if host and not is_known_host(host, self._names):
            return _refused(f"the host {host} is not this machine")
        if origin:
            return (
                None
                if self._is_known_origin(origin)
                else _refused(f"pages of {origin} may not send requests")
            )
        if headers.get(b"sec-fetch-site") == b"cross-site":
            return _refused("pages of other sites may not send requests")
        return None

    def _is_known_origin(self, origin: str) -> bool:
        try:
            return is_known_host(urlsplit(origin).netloc, self._names)
        except ValueError:  # no valid URL
            return False


def _refused(reason: str) -> DatabaseError:
    hint = "to allow another host, add it to SOUK_CLICKHOUSE_HOSTS"
    return DatabaseError(497, "ACCESS_DENIED", f"Not enough privileges: {reason} ({hint}).")


class ClickHouseApp:
    """Runs the queries of HTTP requests on one engine. Writers, readers and the API have separate threads."""

    def __init__(self, engine: Engine, users: Users, host_check: HostCheck, watchdog: Watchdog) -> None:
        self._engine = engine
        self._users = users
        self._host_check = host_check
        self._watchdog = watchdog
        self._connections = RequestConnections(engine)
        self._validated: dict[Pool, ValidationCache] = {pool: ValidationCache() for pool in THREADS}
        self._workers = {
            pool: WorkerPool(pool, threads, MAX_QUEUED, SHARES.get(pool)) for pool, threads in THREADS.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            # Returning before the end of the response closes the connection.
            with contextlib.suppress(ResponseAborted):
                await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        sweeping = asyncio.create_task(self._sweep())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        sweeping.cancel()
        for workers in self._workers.values():
            workers.close()
        self._connections.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(5)
            await asyncio.to_thread(self._connections.sessions.sweep)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        idle = method in ("GET", "HEAD") and not scope["query_string"]
        if refusal := self._host_check.refusal(dict(scope["headers"])):
            await self._plain(send, 403, refusal.text(self._engine.version).encode(), _TEXT)
        elif path in ("/ping", "/replicas_status") or (path == "/" and idle):
            await self._plain(send, 200, b"Ok.\n", _TEXT)
        elif path == "/metrics":
            for pool, workers in self._workers.items():
                CLICKHOUSE_RUNNING.labels(pool).set(workers.busy)
            await self._plain(send, 200, exposition(), CONTENT_TYPE)
        elif path not in ("/", "/query"):
            hint = f"There is no handle {path}\n\nUse /ping for health checks, POST / for queries.\n"
            await self._plain(send, 404, hint.encode(), _TEXT)
        elif method not in ("GET", "HEAD", "POST"):
            await self._plain(send, 405, b"Only GET, HEAD and POST are supported.\n", _TEXT)
        else:
            await self._serve(scope, receive, send)

    async def _plain(self, send: Send, status: int, body: bytes, content_type: str) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", content_type.encode()),
                    (b"content-length", str(len(body)).encode()),
                ],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_headers = {
            name.decode("latin-1").lower(): value.decode(errors="replace") for name, value in scope["headers"]
        }
        started, label, kind = time.monotonic(), "", "error"
        response = ResponseWriter(send, self._common_headers(""), "", hold_all=False)
        try:
            request = read_request(scope["method"], scope["query_string"], request_headers)
            response = ResponseWriter(
                send,
                self._common_headers(request.query_id),
                request.response_encoding,
                hold_all=request.wait_end_of_query,
            )
            user = self._users.authenticate(request.user, request.password)
            response.has_queued_queries = lambda: self._workers[user.pool].has_queue
            label = user.name
            client = (user.name, place_of((scope.get("client") or ("",))[0]))
            if user.is_bounded:
                self._watchdog.check_client(client)
            outcome = await self._run(request, user, client, receive, response)
            kind = outcome.kind
            CLICKHOUSE_ROWS.labels(kind).inc(outcome.rows)
        except DatabaseError as error:
            CLICKHOUSE_ERRORS.labels(error.name).inc()
            await response.fail(error, self._engine.version)
        finally:
            response.close()
            CLICKHOUSE_SECONDS.labels(kind, label).observe(time.monotonic() - started)

    def _common_headers(self, query_id: str) -> dict[str, str]:
        headers = {
            "x-clickhouse-server-display-name": self._engine.host,
            "x-clickhouse-timezone": self._engine.timezone,
        }
        return headers | ({"x-clickhouse-query-id": query_id} if query_id.isprintable() and query_id else {})

    async def _run(
        self, request: Request, user: User, client: Client, receive: Receive, response: ResponseWriter
    ) -> QueryOutcome:
        body_stream, pipe = BodyStream(whole=not user.writes), ResultPipe()
        loop = asyncio.get_running_loop()
        overdue: asyncio.Future[None] = loop.create_future()  # cancelled when the query outlives its limit

        def cancel() -> None:
            loop.call_soon_threadsafe(overdue.cancel)

        def watch(text: bytes, limit_s: float) -> AbstractContextManager[None]:
            return self._watchdog.watch(client, text, limit_s, cancel)

        execution = QueryExecution(
            self._engine,
            self._connections,
            self._validated[user.pool],
            request,
            user,
            body_stream,
            pipe,
            watch,
        )
        receiving = asyncio.create_task(body_stream.fill(receive))
        working: asyncio.Future[QueryOutcome] | None = None
        try:
            await body_stream.started()
            working = self._workers[user.pool].start(execution.run, client)
            sending = asyncio.create_task(self._send_result(execution, working, pipe, response))
            events: set[asyncio.Future[Any]] = {sending, receiving, overdue}
            await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                log.info(
                    "query outlives its time limit" if overdue.done() else "client disconnected",
                    query_id=request.query_id,
                )
                sending.cancel()
            return await sending
        except asyncio.CancelledError:
            raise ResponseAborted from None
        finally:
            receiving.cancel()
            # First, because a query can't be killed while the engine waits for room in the pipe.
            pipe.close_reading()
            if working is None:
                pipe.close_writing()
            elif not working.done():
                await self._cancel(execution, working, body_stream)
            elif not working.cancelled():
                working.exception()  # else asyncio may log that the exception was never retrieved

    async def _send_result(
        self,
        execution: QueryExecution,
        working: "asyncio.Future[QueryOutcome]",
        pipe: ResultPipe,
        response: ResponseWriter,
    ) -> QueryOutcome:
        while chunk := await pipe.read():
            await response.write(chunk, execution.format)
        outcome = await asyncio.shield(working)
        if outcome.body:
            await response.write(outcome.body, execution.format)
        await response.end(execution.format, outcome.summary)
        return outcome

    async def _cancel(
        self, execution: QueryExecution, working: "asyncio.Future[QueryOutcome]", body_stream: BodyStream
    ) -> None:
        """Cancel a query, again and again until it ends, because it may not have started yet."""
        execution.cancelled = True
        body_stream.abort()
        while not working.done():
            await asyncio.to_thread(execution.kill)
            await asyncio.wait({working}, timeout=_KILL_INTERVAL_S)
        with contextlib.suppress(DatabaseError):
            working.result()


_SHUTDOWN_TIMEOUT_S = 5


class ClickHouseProtocol(DeadlineProtocol):
    """Accepts longer heads, because queries and their parameters may be in the URL (1 MB in ClickHouse)."""

    max_head_bytes = 256 << 10


def run(settings: Settings, home: Path, listener: socket.socket, *, unconfined: str) -> None:
    """Serve on `listener` until SIGTERM or SIGINT.

    `home` holds the engine's configuration and data. `unconfined` is why the process is not confined, or
    empty if it is.
    """
    engine = Engine(home / "data", config_file(home / "config"), home / "tmp")
    watchdog = Watchdog(home / "work" / "endless_queries.json")
    users = Users(settings, unconfined=unconfined)
    config = server_config(
        ClickHouseApp(engine, users, HostCheck(settings.clickhouse_hosts), watchdog),
        ClickHouseProtocol,
        loop="uvloop",
        timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
        backlog=512,
    )
    log.info(
        "ready",
        port=settings.port("clickhouse"),
        version=engine.version,
        data=str(home),
        confined=not unconfined,
    )
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises these signals again after it has stopped
        signal.signal(number, lambda *_: None)
    gc_tuning.tune_gc()
    watchdog.log_ready()
    watchdog.start()
    uvicorn.Server(config).run(sockets=[listener])
    watchdog.stop()
    engine.close()
