"""Answers `/health`, `/ready` and `/metrics` of a process that serves nothing else."""

from collections.abc import Iterable
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server

import orjson
from prometheus_client.exposition import ThreadingWSGIServer

from common.errors import UserError
from common.host_check import is_known_host, names_of_listener
from common.metrics import CONTENT_TYPE, exposition
from common.readiness import HEALTH_BODY, RETRY_AFTER_S, ProcessReadiness
from common.settings import Part, Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_JSON = ("Content-Type", "application/json")
_NO_STORE = ("Cache-Control", "no-store")


def serve_operations(settings: Settings, part: Part, readiness: ProcessReadiness) -> None:
    """Answer on the port of this part, in daemon threads, until the process ends.

    Only requests whose `Host` means this machine are answered (see `common.host_check`).

    Raises:
        UserError: the port is taken.
    """
    port = settings.port(part)
    names = names_of_listener(settings.listen_host)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if is_known_host(environ.get("HTTP_HOST", ""), names) and "HTTP_ORIGIN" not in environ:
            return _answer(environ, start_response, readiness)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"Only programs on this machine may read this.\n"]

    try:
        server = make_server(settings.listen_host, port, answer, ThreadingWSGIServer, _QuietHandler)
    except OSError as error:
        reason = f"port {port} can't be used for metrics ({error.strerror}): set SOUK_PORT_OFFSET"
        raise UserError(reason) from error
    Thread(target=server.serve_forever, name="operations", daemon=True).start()


def _answer(
    environ: "WSGIEnvironment", start_response: "StartResponse", readiness: ProcessReadiness
) -> Iterable[bytes]:
    path = environ.get("PATH_INFO", "")
    if path == "/health":
        start_response("200 OK", [_JSON, _NO_STORE])
        return [HEALTH_BODY]
    if path == "/ready":
        body = readiness.body(parse_qs(environ.get("QUERY_STRING", "")).get("exclude", ()))
        if body["ready"]:
            start_response("200 OK", [_JSON, _NO_STORE])
        else:
            headers = [_JSON, _NO_STORE, ("Retry-After", str(RETRY_AFTER_S))]
            start_response("503 Service Unavailable", headers)
        return [orjson.dumps(body)]
    if path == "/metrics":
        start_response("200 OK", [("Content-Type", CONTENT_TYPE), _NO_STORE])
        return [exposition()]
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"This server has /health, /ready and /metrics.\n"]


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing: Prometheus sends a request every few seconds."""
