"""Speaks to the commerce services over kept connections, and passes on what they answer as it came."""

from collections.abc import Mapping, Sequence
from string import punctuation
from typing import Any, Self
from urllib.parse import quote

import orjson
from fastapi import Request
from starlette.responses import Response

from common.http_client import HttpAnswer, HttpClient, NoAnswer, TooSlow
from common.patience import CLIENTS_KEEP_S, PATIENCE_S
from common.repeating import is_repeatable, what_to_do
from common.settings import Settings
from serving.body import read_body
from serving.problems import CommerceUnavailable, UnknownOrder

CONNECTIONS = 64
"""Requests at once; the next waits for a free connection."""

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
    """Asks the orders, inventory and payments. Use it as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._http = HttpClient(settings.commerce, CONNECTIONS, CLIENTS_KEEP_S, PATIENCE_S, PATIENCE_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def forward(self, request: Request, limit: int = 0) -> Response:
        """Ask commerce what was asked here, with a body of at most `limit` bytes, and answer what it answers.

        Raises:
            BodyTooLarge: the body is longer.
            CommerceUnavailable: commerce does not answer.
        """
        body = await read_body(request, limit)
        headers = [
            (name.decode(), value.decode(errors="replace"))
            for name, value in request.headers.raw
            if name in SENT_ON
        ]
        target = _target(request.scope["route"].path_format, request.path_params)
        if query := request.scope["query_string"]:
            target += f"?{quote(query, safe=punctuation)}"
        answer = await self._ask(request.method, target, headers, body)
        passed_on = Response(answer.content, answer.status)
        kept = [(lower, value) for name, value in answer.headers if (lower := name.lower()) in SENT_BACK]
        passed_on.raw_headers = [*passed_on.raw_headers, *kept]
        return passed_on

    async def order(self, order_id: str) -> dict[str, Any]:
        """An order as `GET /v1/orders/{id}` shows it.

        Raises:
            UnknownOrder: there is none of this id.
            CommerceUnavailable: commerce does not answer, or not with an order.
        """
        answer = await self._ask("GET", _target("/v1/orders/{order_id}", {"order_id": order_id}), [])
        if answer.status in (404, 422):
            raise UnknownOrder(order_id)
        if answer.status != 200:
            raise CommerceUnavailable(
                "The order can't be looked up right now. Nothing is lost: try again soon."
            )
        order: dict[str, Any] = orjson.loads(answer.content)
        return order

    async def _ask(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes = b""
    ) -> HttpAnswer:
        """One request; once more when the connection that was kept for it had been closed meanwhile."""
        has_key = any(name == "idempotency-key" for name, _ in headers)
        repeatable = is_repeatable(method, has_key)
        try:
            return await self._http.ask(method, target, headers, body or None, repeatable=repeatable)
        except NoAnswer as error:
            what = "are too slow to answer" if isinstance(error, TooSlow) else f"do not answer ({error})"
            raise CommerceUnavailable(
                f"The services of orders, stock and payments {what}. {what_to_do(method, has_key)}"
            ) from error


def _target(path_format: str, parameters: Mapping[str, Any]) -> str:
    """The path of a route with these parameters, each within its segment: some would resolve dots."""
    quoted = {name: quote(str(value), safe="").replace(".", "%2E") for name, value in parameters.items()}
    return path_format.format_map(quoted)
