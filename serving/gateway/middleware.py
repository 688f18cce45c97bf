"""Wraps every request: checks its host, adds security headers, describes errors and measures the time."""

from collections.abc import Callable, Collection
from itertools import count

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import correlation
from common.body_deadline import status_of_disconnect
from common.host_check import host_name, is_other_site
from common.principal_token import PrincipalTokens
from common.problems import ErrorDescription, describe_error
from common.request_metrics import RequestMetrics
from common.request_path import keep_segments
from common.request_tracing import request_span
from common.stopping import Stopping
from common.tracing import note_status
from serving.gateway.identity import is_from_platform
from serving.gateway.load_shedding import RUNNING

HEADERS = {
    # Allows no inline script, no eval, and nothing from another origin.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
CLOSE_CONNECTION_EVERY = 500
"""One of this many responses of a process closes its connection. The client connects again, and an idle
process accepts the new connection. Without this, connections that were opened while only one process was
listening would stay with that process."""

ProblemRenderer = Callable[[Request, ErrorDescription], Response]


class HttpMiddleware:
    """The outermost ASGI middleware, so that its headers and metrics apply to every response.

    A `HEAD` request is answered like a `GET` request, without the body.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str],
        render_problem: ProblemRenderer,
        stopping: Stopping,
        tokens: PrincipalTokens,
    ) -> None:
        """Once `stopping` has begun, each response closes its connection, so that none is cut later."""
        self._app, self._tokens, self._stopping = app, tokens, stopping
        self._hosts = frozenset(hosts)
        self._render_problem = render_problem
        self._responses = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        request_scope = {**scope, "method": "GET"} if method == "HEAD" else scope
        keep_segments(request_scope)
        # Others would choose which traces are recorded, and add spans to those of other requests.
        sent = Headers(scope=scope)
        keeps_trace = "traceparent" in sent and is_from_platform(sent, self._tokens)
        correlation_id = correlation.begin(request_scope, keeps_trace=keeps_trace)
        metrics = RequestMetrics(method)

        async def send_with_headers(message: Message) -> None:
            metrics.observe(message)
            if message["type"] == "http.response.start":
                if RUNNING in scope:
                    scope[RUNNING].release()  # a stream may last for hours
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["X-Correlation-Id"] = correlation_id
                headers.setdefault("Cache-Control", "no-cache")
                if self._stopping.has_begun or next(self._responses) % CLOSE_CONNECTION_EVERY == 0:
                    headers["Connection"] = "close"
            await send(message)

        out = _without_body(send_with_headers) if method == "HEAD" else send_with_headers
        with request_span(request_scope, "serving") as span:
            try:
                await self._answer(request_scope, receive, out)
            except ClientDisconnect:
                metrics.status = metrics.status or status_of_disconnect(scope)
            except Exception as error:
                if metrics.status:
                    raise  # The response has begun. The server breaks the connection and logs the error.
                request = Request(request_scope)
                render = self._render_problem(request, describe_error(request, error))
                await render(request_scope, receive, out)
            finally:
                note_status(span, metrics.status or 500)
                metrics.record(request_scope)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._refusal(scope["method"], Headers(scope=scope))
        app = self._render_problem(Request(scope), problem) if problem else self._app
        await app(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> ErrorDescription | None:
        """Return why a request is refused before it reaches a route; None if it is not refused."""
        host = headers.get("host", "")
        if host_name(host) not in self._hosts:
            names = ", ".join(sorted(self._hosts))
            detail = f"{host!r} is not a name of this server. Use {names}; SOUK_SERVING_URL adds another."
            return ErrorDescription(400, "unknown-host", "Unknown host", detail)
        if is_other_site(method, headers):
            detail = f"A page of another site sent this {method} request. Send it from this server's pages."
            return ErrorDescription(403, "other-site", "Request from another site", detail)
        return None


def _without_body(send: Send) -> Send:
    """Return a `send` that sends the head of a response and drops its body."""
    ended = False

    async def send_head(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.start":
            await send(message)
        elif not ended:
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head
