"""Forwards requests to the commerce services over pooled connections."""

from collections.abc import Mapping, Sequence
from string import punctuation
from typing import Any, Self
from urllib.parse import quote

import orjson
from fastapi import Request
from starlette.responses import Response

from common.http_client import HttpClient, HttpResponse, RequestFailed, RequestTimedOut
from common.retry_policy import is_safe_to_retry, retry_advice
from common.settings import Settings
from common.timeouts import CLIENT_KEEPALIVE_S, PEER_TIMEOUT_S
from serving.problems import CommerceUnavailable, UnknownOrder
from serving.request_body import read_body

CONNECTIONS = 64
"""The largest number of requests at the same time. A further request waits for a free connection."""

REQUEST_HEADERS = {
    *(b"content-type", b"accept", b"if-none-match", b"idempotency-key"),
    *(b"traceparent", b"tracestate", b"x-correlation-id", b"x-request-id"),
}
"""Headers of a request that are forwarded. All others, cookies among them, are not."""

RESPONSE_HEADERS = {
    *(b"content-type", b"location", b"retry-after", b"etag", b"cache-control", b"allow"),
    *(b"idempotency-key", b"idempotent-replayed", b"traceparent", b"x-correlation-id", b"x-request-id"),
}
"""Headers of a response that are returned to the client."""


class CommerceClient:
    """A client of the commerce services. Use it as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._http = HttpClient(
            settings.commerce, CONNECTIONS, CLIENT_KEEPALIVE_S, PEER_TIMEOUT_S, PEER_TIMEOUT_S
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def forward(self, request: Request, limit: int = 0) -> Response:
        """Forward a request with a body of at most `limit` bytes, and return the response.

        Raises:
            BodyTooLarge: the body is longer.
            CommerceUnavailable: the commerce services do not answer.
        """
        body = await read_body(request, limit)
        headers = [
            (name.decode(), value.decode(errors="replace"))
            for name, value in request.headers.raw
            if name in REQUEST_HEADERS
        ]
        target = _target(request.scope["route"].path_format, request.path_params)
        if query := request.scope["query_string"]:
            target += f"?{quote(query, safe=punctuation)}"
        received = await self._send(request.method, target, headers, body)
        response = Response(received.content, received.status)
        forwarded = [
            (lower, value) for name, value in received.headers if (lower := name.lower()) in RESPONSE_HEADERS
        ]
        response.raw_headers = [*response.raw_headers, *forwarded]
        return response

    async def order(self, order_id: str) -> dict[str, Any]:
        """Return an order as `GET /v1/orders/{order_id}` returns it.

        Raises:
            UnknownOrder: no order has this id.
            CommerceUnavailable: the commerce services do not answer, or return an error.
        """
        received = await self._send("GET", _target("/v1/orders/{order_id}", {"order_id": order_id}), [])
        if received.status in (404, 422):
            raise UnknownOrder(order_id)
        if received.status != 200:
            raise CommerceUnavailable(
                "The order can't be shown right now. It is not lost: try again in a moment."
            )
        order: dict[str, Any] = orjson.loads(received.content)
        return order

    async def _send(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes = b""
    ) -> HttpResponse:
        """Send one request. If its connection was closed, send it again if that is safe."""
        has_key = any(name == "idempotency-key" for name, _ in headers)
        is_repeatable = is_safe_to_retry(method, has_key)
        try:
            return await self._http.request(method, target, headers, body or None, idempotent=is_repeatable)
        except RequestFailed as error:
            failure = (
                "are too slow to answer" if isinstance(error, RequestTimedOut) else f"do not answer ({error})"
            )
            raise CommerceUnavailable(
                f"The commerce services (orders, stock, payments) {failure}. {retry_advice(method, has_key)}"
            ) from error


def _target(path_format: str, parameters: Mapping[str, Any]) -> str:
    """Return the path of a route. Each parameter is quoted, dots too, because some servers resolve dots."""
    quoted = {name: quote(str(value), safe="").replace(".", "%2E") for name, value in parameters.items()}
    return path_format.format_map(quoted)
