"""Around every request: known hosts only, security headers, errors in words, and how long it took."""

from collections.abc import Callable, Collection
from itertools import count

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.measured import MeasuredRequest
from common.problems import Described, describe

HEADERS = {
    # No inline script, no eval, nothing from elsewhere.
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
MOVE_ON_EVERY = 500
"""One answer of so many closes its connection, and whoever asks again reaches the process that is idle: else
those that came while only one process listened would stay with it for good."""

Show = Callable[[Request, Described], Response]


class Guard:
    """The outermost ASGI middleware: nothing gets around its headers, its host names and its metrics.

    `HEAD` is answered as `GET` is, without the body.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], show: Show) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._show = show
        self._answers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        asked = {**scope, "method": "GET"} if method == "HEAD" else scope
        measured = MeasuredRequest(method)

        async def guarded(message: Message) -> None:
            measured.hear(message)
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-cache")
                if next(self._answers) % MOVE_ON_EVERY == 0:
                    headers["Connection"] = "close"
            await send(message)

        out = _without_body(guarded) if method == "HEAD" else guarded
        try:
            await self._answer(asked, receive, out)
        except Exception as error:
            if measured.status:
                raise  # too late for another answer: the connection breaks, and the server logs it
            request = Request(asked)
            await self._show(request, describe(request, error))(asked, receive, out)
        finally:
            measured.count(asked)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "")
        if _name(host.lower()) in self._hosts:
            await self._app(scope, receive, send)
            return
        known = ", ".join(sorted(self._hosts))
        said = f"{host!r} is no name of this server. It answers to {known}; SOUK_SERVING_URL adds another."
        refused = Described(400, "unknown-host", "Unknown host", said)
        await self._show(Request(scope), refused)(scope, receive, send)


def _name(host: str) -> str:
    """A `Host` header without its port."""
    return host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host


def _without_body(send: Send) -> Send:
    """Sends the head of an answer and then its end, whatever else there is to come."""
    ended = False

    async def head(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.start":
            await send(message)
        elif not ended:
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return head
