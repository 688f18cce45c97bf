"""Decides from a request's head whether it is answered, before anything else is done for it.

A refusal is bytes, most of which were made beforehand: it needs no task, routing, cookies, session, trace or
log line. It counts in the metrics like any other response; the log has one line for the refusals of some
seconds.
"""

from collections.abc import Iterable
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import cache, partial
from time import monotonic

import orjson
from fastapi import FastAPI, Request
from prometheus_client import Counter
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from common.access_policy import TrafficClass
from common.body_deadline import BodyDeadlineProtocol
from common.configuration.definitions import SHEDDING_ENABLED
from common.configuration.values import SettingValues
from common.guarded_route import GuardedRoute, all_routes
from common.metrics import HTTP_REQUESTS
from common.principal_token import PrincipalTokens
from common.problems import MEDIA_TYPE, describe_problem, problem_body
from common.request_metrics import METHODS
from common.stopping import Stopping
from serving.gateway.identity import is_from_platform
from serving.gateway.load_shedding import RUNNING, LoadShedder, Overloaded, RunningRequest
from serving.gateway.middleware import HEADERS
from serving.web.language import COOKIE, choose_language, use_language
from serving.web.pages import accepts_page, render_problem

ADMISSION = "admission"
"""The name under which the application's lifespan gives its `Admission` to the server."""

PAGES_KEPT_S = 10.0
"""How long the pages of refusals are used before they are rendered again, with the current notice."""


@dataclass(frozen=True, slots=True)
class Address:
    """A route as the admission sees it: its path, and the class by which it is refused; None: never."""

    route: str
    traffic: TrafficClass | None


UNKNOWN = Address("other", "page")
"""Any other address. Its 404 is a page, too."""


@dataclass(slots=True)
class _Segment:
    """The addresses below one segment of a path."""

    fixed: "dict[str, _Segment]" = field(default_factory=dict)
    parameter: "_Segment | None" = None
    methods: dict[str, Address] = field(default_factory=dict)
    """Method → the address that ends here."""
    below: Address | None = None
    """The address of whatever follows: a mount, or a parameter that may contain slashes."""


class Addresses:
    """Finds the route of a request without regular expressions.

    If two routes match, it is the one with the longer fixed beginning.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._root = _Segment()
        for route in routes:
            if isinstance(route, Mount):
                self._segment(route.path).below = Address(route.path, None)
            elif isinstance(route, Route):
                self._add(route)

    def find(self, method: str, path: str) -> Address:
        """Return the address of a request, from its path as it was sent, without the query."""
        segments = path.split("/")
        return _find(self._root, segments, 0, "GET" if method == "HEAD" else method) or UNKNOWN

    def _add(self, route: Route) -> None:
        address = Address(route.path, route.policy.shed_as if isinstance(route, GuardedRoute) else None)
        before, has_rest, _ = route.path.partition("{")
        if has_rest and ":path}" in route.path:
            self._segment(before.removesuffix("/")).below = address
            return
        methods = self._segment(route.path).methods
        for method in route.methods or ():
            methods.setdefault(method, address)  # the first route wins, as in the router

    def _segment(self, path: str) -> _Segment:
        segment = self._root
        for text in path.split("/"):
            if "{" in text:
                segment.parameter = segment = segment.parameter or _Segment()
            else:
                segment = segment.fixed.setdefault(text, _Segment())
        return segment


def _find(segment: _Segment, segments: list[str], index: int, method: str) -> Address | None:
    if index == len(segments):
        return segment.methods.get(method)
    fixed = segment.fixed.get(segments[index])
    found = _find(fixed, segments, index + 1, method) if fixed else None
    if found is None and segment.parameter is not None and segments[index]:
        found = _find(segment.parameter, segments, index + 1, method)
    return found or segment.below


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal without its status line: the bytes of its headers, each with its line end, and its body."""

    headers: bytes
    body: bytes


class Admission:
    """Admits the requests of one process of the application, or refuses them."""

    def __init__(
        self,
        app: FastAPI,
        shedder: LoadShedder,
        values: SettingValues,
        tokens: PrincipalTokens,
        stopping: Stopping,
        default_language: str,
    ) -> None:
        self._app, self._shedder, self._values = app, shedder, values
        self._tokens, self._stopping, self._default_language = tokens, stopping, default_language
        self._addresses = Addresses(all_routes(app))
        self._pages: dict[tuple[str, bool, int], Refusal] = {}
        self._rendered_at = monotonic()

    @property
    def is_stopping(self) -> bool:
        """Whether connections are closed after their next response."""
        return self._stopping.has_begun

    def admit(self, scope: Scope) -> RunningRequest | Refusal | None:
        """Return the request that runs from now on, or its refusal; None if it is not counted at all."""
        method = scope["method"]
        address = self._addresses.find(method, scope["raw_path"].decode("latin-1"))
        if address.traffic is None:
            return None
        running = self._shedder.admit(address.traffic)
        if running is not None or not self._values.get(SHEDDING_ENABLED):
            return running
        headers = Headers(raw=scope["headers"])
        if "authorization" in headers and is_from_platform(headers, self._tokens):
            return None
        retry_after_s = self._shedder.refuse(address.traffic)
        _responses(address.route, method if method in METHODS else "other").inc()
        return self._refusal(scope["path"], headers, retry_after_s)

    def _refusal(self, path: str, headers: Headers, retry_after_s: int) -> Refusal:
        if not accepts_page(path, headers.get("accept", "")):
            problem = describe_problem(Overloaded(retry_after_s))
            return _encoded(orjson.dumps(problem_body(problem, path)), MEDIA_TYPE, retry_after_s)
        chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        language = choose_language(chosen, headers.get("accept-language", ""), self._default_language)
        if monotonic() - self._rendered_at > PAGES_KEPT_S:
            self._pages.clear()
            self._rendered_at = monotonic()
        key = language, path.startswith("/shop"), retry_after_s
        if key not in self._pages:
            self._pages[key] = copy_context().run(self._page, *key)
        return self._pages[key]

    def _page(self, language: str, in_shop: bool, retry_after_s: int) -> Refusal:
        use_language(language)
        scope = {
            "type": "http",
            "app": self._app,
            "method": "GET",
            "path": "/shop" if in_shop else "/",
            "query_string": b"",
            "headers": [(b"accept", b"text/html")],
        }
        page = render_problem(Request(scope), describe_problem(Overloaded(retry_after_s)))
        return _encoded(bytes(page.body), page.headers["content-type"], retry_after_s)


class AdmissionProtocol(BodyDeadlineProtocol):
    """Asks the application's `Admission` as soon as the head of a request was read.

    A request counts from then on. Whoever is refused need not wait for those that were accepted before.
    """

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        admission: Admission | None = self.app_state.get(ADMISSION)
        admitted = admission.admit(cycle.scope) if admission else None  # type: ignore[arg-type]
        if isinstance(admitted, Refusal) and admission:
            self._refuse(cycle, admitted, admission.is_stopping)
        elif admitted is not None:
            super()._start_asgi_task(cycle, partial(_run, app, cycle, admitted))  # type: ignore[arg-type]
        else:
            super()._start_asgi_task(cycle, app)

    def _refuse(self, cycle: RequestResponseCycle, refusal: Refusal, is_last: bool) -> None:
        cycle.response_started = cycle.response_complete = True
        if self.flow.write_paused:  # a client that sends requests and reads no responses
            self.transport.abort()
            return
        # A client that waits for `100 Continue` may or may not send its body after another response.
        cycle.keep_alive = cycle.keep_alive and not is_last and not cycle.waiting_for_100_continue
        date = b"".join(b"%b: %b\r\n" % header for header in self.server_state.default_headers)
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        body = b"" if cycle.scope["method"] == "HEAD" else refusal.body
        self.transport.write(b"".join((STATUS_LINE[Overloaded.status], date, refusal.headers, end, body)))
        if not cycle.keep_alive:
            self.transport.close()
        if self.pipeline:  # a later request of the same connection may be refused, too, and so on
            self.loop.call_soon(self.on_response_complete)
        else:
            self.on_response_complete()


async def _run(
    app: ASGIApp,
    cycle: RequestResponseCycle,
    running: RunningRequest,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer a request that was admitted, unless its client has left while it waited."""
    with running:
        if not cycle.disconnected:
            scope[RUNNING] = running
            await app(scope, receive, send)


def _encoded(body: bytes, media_type: str, retry_after_s: int) -> Refusal:
    own = {"Content-Type": media_type, "Content-Length": str(len(body)), "Retry-After": str(retry_after_s)}
    return Refusal(_common_headers() + b"".join(f"{n}: {v}\r\n".encode() for n, v in own.items()), body)


@cache
def _responses(route: str, method: str) -> Counter:
    """Return the counter of refusals of a route; finding it by its labels takes longer than counting."""
    return HTTP_REQUESTS.labels("", route, method, Overloaded.status)


@cache
def _common_headers() -> bytes:
    headers = HEADERS | {"Cache-Control": "no-store"}
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
