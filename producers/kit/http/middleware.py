"""Wraps every request: checks its host and origin, bounds its body, describes errors and measures time."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import correlation
from common.body_deadline import status_of_disconnect
from common.host_check import is_known_host, is_other_site
from common.problems import describe_error, problem_response
from common.request_metrics import RequestMetrics
from common.request_path import keep_segments
from common.request_tracing import request_span
from common.stopping import Stopping
from common.tracing import note_status
from producers.kit.http.problems import (
    BODY_TOO_LARGE,
    OTHER_SITE,
    UNKNOWN_HOST,
    as_problem,
)

LARGE_AT_ONCE = 3
"""Requests with larger bodies that are answered at the same time: each takes several times its size in
memory. The gateway has a whole body before it sends it, so no client is slow here."""

BODY_LIMIT = 1024 * 1024
"""Bytes. This is enough for the stock of thousands of products, and hundreds of times the longest order.
Routes that declare a larger body take that, with the header `Content-Length`."""


class CommerceMiddleware:
    """The outermost ASGI middleware."""

    def __init__(
        self,
        app: ASGIApp,
        stopping: Stopping,
        hosts: Collection[str] = (),
        service_of: Mapping[Any, str] = MappingProxyType({}),
        limits: Mapping[Any, int] = MappingProxyType({}),
    ) -> None:
        """`hosts` are names of this server besides the loopback names. `service_of`: endpoint → its service.
        `limits`: endpoint → the largest body in bytes that it declares.

        Once `stopping` has begun, each response closes its connection, so that none is cut later.
        """
        self._app = app
        self._stopping = stopping
        self._hosts = frozenset(hosts)
        self._service_of = service_of
        self._limits = limits
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        keep_segments(scope)
        metrics = RequestMetrics(scope["method"])
        correlation_id = correlation.begin(scope, keeps_trace=True)  # it is the gateway's

        async def measured(message: Message) -> None:
            metrics.observe(message)
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Correlation-Id"] = correlation_id
                if self._stopping.has_begun:
                    headers["Connection"] = "close"
            await send(message)

        with request_span(scope, "commerce") as span:
            try:
                self._check(scope)
                async with self._large if _length(scope) > BODY_LIMIT else nullcontext():
                    await self._app(scope, bounded(scope, receive, self._limits), measured)
            except ClientDisconnect:
                metrics.status = metrics.status or status_of_disconnect(scope)
            except Exception as error:
                if metrics.status:
                    raise  # the response has begun: the server closes the connection and logs the error
                request = Request(scope)
                problem = describe_error(request, as_problem(request, error))
                await problem_response(request, problem)(scope, receive, measured)
            finally:
                note_status(span, metrics.status or 500)
                metrics.record(scope, self._service_of.get(scope.get("endpoint"), ""))

    def _check(self, scope: Scope) -> None:
        """Check that the request was not sent by a web page of another site.

        Raises:
            UNKNOWN_HOST, OTHER_SITE: such a page may have sent it.
        """
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_known_host(host, self._hosts):
            raise UNKNOWN_HOST(host=host)
        if is_other_site(scope["method"], headers):
            raise OTHER_SITE()


def bounded(scope: Scope, receive: Receive, limits: Mapping[Any, int] = MappingProxyType({})) -> Receive:
    """Return a `receive` that raises `BODY_TOO_LARGE` for bodies of more than `BODY_LIMIT` bytes.

    It checks the header `Content-Length`, or counts the bytes if the request has no such header. With it, the
    endpoint of the request, which is known when its body is read, may have a larger one of `limits`.
    """
    declared = length = _length(scope)

    async def limited() -> Message:
        nonlocal length
        limit = max(BODY_LIMIT, limits.get(scope.get("endpoint"), 0)) if declared else BODY_LIMIT
        if length > limit:
            raise BODY_TOO_LARGE(limit=limit)
        message = await receive()
        if not declared:
            length += len(message.get("body", b""))
        if length > limit:
            raise BODY_TOO_LARGE(limit=limit)
        return message

    return limited


def _length(scope: Scope) -> int:
    """Return the length of a request's body as its header says; 0 without one."""
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isdecimal() else 0
