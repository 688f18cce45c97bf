"""Speaks to the commerce services over kept connections, and passes on what they answer as it came."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

import httpx
import orjson
from fastapi import Request
from starlette.responses import Response

from common.settings import Settings
from serving.body import read_body
from serving.problems import CommerceUnavailable, UnknownOrder

CONNECTIONS = 64
"""Requests at once; the next waits for a free connection, at most `POOL_S`."""

TIMEOUT = {"connect": 1.0, "read": 10.0, "write": 5.0, "pool": 2.0}
"""Seconds of each step of a request."""

KEPT_FOR_S = 60.0
"""An idle connection is closed after this."""

SENT_ON = {
    *(b"content-type", b"accept", b"if-none-match", b"idempotency-key"),
    *(b"traceparent", b"tracestate", b"x-correlation-id", b"x-request-id"),
}
"""Headers of a request that commerce gets to see; the others (cookies among them) are the gateway's own."""

SENT_BACK = {
    *(b"content-type", b"location", b"retry-after", b"etag", b"cache-control", b"allow"),
    *(b"idempotency-key", b"idempotent-replayed", b"traceparent", b"x-correlation-id", b"x-request-id"),
}
"""Headers of an answer that whoever asked gets to see."""


class Commerce:
    """A pool of kept connections to the orders, inventory and payments. Use it as an async context manager.

    It is httpx's transport, which its client wraps: cookies, redirects and logins have no place in a gateway,
    and without them a request costs a fifth less.
    """

    def __init__(self, settings: Settings) -> None:
        self._base = httpx.URL(settings.commerce)
        self._transport = httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=KEPT_FOR_S), trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.aclose()

    async def forward(self, request: Request, limit: int = 0) -> Response:
        """Ask commerce what was asked here, with a body of at most `limit` bytes, and answer what it answers.

        Raises:
            BodyTooLarge: the body is longer.
            CommerceUnavailable: commerce does not answer.
        """
        body = await read_body(request, limit)
        headers = [(name, value) for name, value in request.headers.raw if name in SENT_ON]
        target = _target(request.scope["route"].path_format, request.path_params)
        if query := request.scope["query_string"]:
            target += b"?" + query
        answer = await self._ask(request.method, target, headers, body)
        passed_on = Response(answer.content, answer.status_code)
        kept = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() in SENT_BACK]
        passed_on.raw_headers = [*passed_on.raw_headers, *kept]
        return passed_on

    async def order(self, order_id: str) -> dict[str, Any]:
        """An order as `GET /v1/orders/{id}` shows it.

        Raises:
            UnknownOrder: there is none of this id.
            CommerceUnavailable: commerce does not answer, or not with an order.
        """
        answer = await self._ask("GET", _target("/v1/orders/{order_id}", {"order_id": order_id}), [], b"")
        if answer.status_code in (404, 422):
            raise UnknownOrder(order_id)
        if answer.status_code != 200:
            raise CommerceUnavailable(
                "The order can't be looked up right now. Nothing is lost: try again soon."
            )
        order: dict[str, Any] = orjson.loads(answer.content)
        return order

    async def _ask(
        self, method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> httpx.Response:
        """One request; once more when the connection that was kept for it had been closed meanwhile.

        Only a question, or what an `Idempotency-Key` keeps from being done twice: stock that is set again a
        moment later would undo what was sold meanwhile.
        """
        url = self._base.copy_with(raw_path=target)
        repeatable = method == "GET" or any(name == b"idempotency-key" for name, _ in headers)
        for last in (False, True) if repeatable else (True,):
            request = httpx.Request(
                method, url, headers=headers, content=body or None, extensions={"timeout": TIMEOUT}
            )
            try:
                answer = await self._transport.handle_async_request(request)
                await answer.aread()
                return answer
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                if last:
                    raise _unavailable(error, method, repeatable) from error
            except httpx.TransportError as error:
                raise _unavailable(error, method, repeatable) from error
        raise AssertionError("unreachable")


def _target(path_format: str, parameters: Mapping[str, Any]) -> bytes:
    """The path of a route with these parameters, each within its segment: httpx would resolve dots."""
    quoted = {name: quote(str(value), safe="").replace(".", "%2E") for name, value in parameters.items()}
    return path_format.format_map(quoted).encode()


def _unavailable(error: httpx.TransportError, method: str, repeatable: bool) -> CommerceUnavailable:
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        said = "The services of orders, stock and payments are too slow to answer."
    else:
        said = f"The services of orders, stock and payments do not answer ({type(error).__name__})."
    if method == "GET":
        return CommerceUnavailable(f"{said} Nothing is lost: ask again in a moment.")
    if not repeatable:
        return CommerceUnavailable(
            f"{said} What was sent may have been done or not: look, and send it again if need be."
        )
    return CommerceUnavailable(
        f"{said} Send the same request again, with the same Idempotency-Key: it is done once, however often "
        "it is sent."
    )
