"""Answers `/health`, `/ready` and `/metrics` of a process that serves nothing else."""

import asyncio
import socket
from threading import Thread

import orjson
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from common.errors import UserError
from common.host_check import is_known_host, names_of_listener
from common.http_protocol import server_config
from common.metrics import CONTENT_TYPE, exposition
from common.readiness import HEALTH_BODY, RETRY_AFTER_S, ProcessReadiness
from common.settings import Part, Settings

_JSON = "application/json"
_NO_STORE = {"Cache-Control": "no-store"}
_BACKLOG = 128


def serve_operations(settings: Settings, part: Part, readiness: ProcessReadiness) -> None:
    """Answer on the port of this part, in a daemon thread, until the process ends.

    Only requests whose `Host` means this machine are answered (see `common.host_check`).

    Raises:
        UserError: the port is taken.
    """
    listener = _listen(settings, part)
    names = names_of_listener(settings.listen_host)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if is_known_host(request.headers.get("host", ""), names) and "origin" not in request.headers:
            response = await _response(request, readiness)
        else:
            response = PlainTextResponse("Only programs on this machine may read this.\n", 403)
        await response(scope, receive, send)

    server = uvicorn.Server(server_config(app, lifespan="off", log_level="warning"))
    Thread(target=server.run, args=([listener],), name="operations", daemon=True).start()


def _listen(settings: Settings, part: Part) -> socket.socket:
    port = settings.port(part)
    listener = socket.socket(socket.AF_INET6 if ":" in settings.listen_host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.listen_host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise UserError(
            f"port {port} can't be used for metrics ({error.strerror}): set SOUK_PORT_OFFSET"
        ) from error
    return listener


async def _response(request: Request, readiness: ProcessReadiness) -> Response:
    path = request.url.path
    if path == "/health":
        return Response(HEALTH_BODY, 200, _NO_STORE, _JSON)
    if path == "/ready":
        # In a thread, because its checks may block. Meanwhile, `/health` is answered.
        body = await asyncio.to_thread(readiness.body, request.query_params.getlist("exclude"))
        if body["ready"]:
            return Response(orjson.dumps(body), 200, _NO_STORE, _JSON)
        return Response(orjson.dumps(body), 503, {**_NO_STORE, "Retry-After": str(RETRY_AFTER_S)}, _JSON)
    if path == "/metrics":
        return Response(exposition(), 200, {**_NO_STORE, "Content-Type": CONTENT_TYPE})
    return PlainTextResponse("This server has /health, /ready and /metrics.\n", 404)
