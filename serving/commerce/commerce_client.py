"""Forwards requests to the commerce services, with the principal that the gateway has established."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from string import punctuation
from typing import Any, Self, TypeVar, cast
from urllib.parse import quote

import orjson
from fastapi import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from common.correlation import outgoing_headers
from common.guarded_route import GuardedRoute, all_routes
from common.http_client import HttpResponse, HttpStream, RequestFailed, RequestTimedOut
from common.principal import Principal, platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.problems import problem
from common.request_path import in_path
from common.retry_policy import is_safe_to_retry, retry_advice
from common.settings import Settings
from common.tracing import child_span, note_status
from producers.registry import SERVICES
from serving.gateway.gateway import identity_of
from serving.gateway.service_routes import ServiceRoutes
from serving.kit.circuit_breaker import BreakerOpen
from serving.kit.problems import CommerceUnavailable
from serving.kit.request_body import SentFile

UNKNOWN_ORDER = problem(
    404,
    "unknown-order",
    "Unknown order",
    "No order has the id {order_id!r}. Check the link that you followed.",
)

REQUEST_HEADERS = {
    *(b"content-type", b"accept", b"if-none-match", b"idempotency-key", b"x-request-id", b"user-agent"),
}
"""Headers of a request that are forwarded, besides those of `common.correlation.outgoing_headers`. All others
are not: cookies, tokens, headers that apply to one connection, and those in which the gateway itself says who
sends the request."""

GATEWAY_ITSELF = platform("gateway")

_ROUTES = [
    (name, frozenset(route.methods or ()), route.path_regex)
    for name, service in SERVICES.items()
    for route in all_routes(service.router)
    if isinstance(route, GuardedRoute)
]
"""The service, methods and path of each route of the services, also of internal ones."""

RESPONSE_HEADERS = {
    *(b"content-type", b"content-disposition", b"location", b"retry-after", b"etag", b"cache-control"),
    *(b"allow", b"idempotency-key", b"idempotent-replayed", b"traceparent", b"x-request-id"),
}
"""Headers of a response that are returned to the client."""


R = TypeVar("R", bound=HttpResponse | HttpStream)


@dataclass(frozen=True, slots=True)
class CommerceResponse:
    """A response below 500 to a page: its status and its JSON. A refusal is a problem (RFC 9457)."""

    status: int
    content: Any

    @property
    def is_success(self) -> bool:
        """Whether the service did what was asked."""
        return self.status < 400


class CommerceClient:
    """A client of the commerce services. Use it as an async context manager."""

    def __init__(self, settings: Settings, tokens: PrincipalTokens) -> None:
        """Raises UserError if the settings name an unknown service."""
        self._tokens = tokens
        self.routes = ServiceRoutes(settings)
        """Where the services are; `routes.snapshot()` shows it."""

    async def __aenter__(self) -> Self:
        await self.routes.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.routes.__aexit__()

    async def forward(self, request: Request, service: str, body: bytes) -> Response:
        """Forward a request, whose body is read already, to a service, and return the response.

        A file that the service reads while it sends it is passed on in the same way. If that breaks, the
        connection to the client is closed before the end of the response.

        Raises:
            CommerceUnavailable: the service does not answer, or not with the first bytes of a file.
        """
        headers = [
            (name.decode(), value.decode(errors="replace"))
            for name, value in request.headers.raw
            if name in REQUEST_HEADERS
        ]
        headers += self._sender(request)
        target = target_path(request.scope["route"].path_format, request.path_params)
        if query := request.scope["query_string"]:
            target += f"?{quote(query, safe=punctuation)}"
        open_it = partial(self.routes.open, service, request.method, target)
        received = await self._sent(service, request.method, headers, body, open_it)
        response = _response(received)
        forwarded = [
            (lower, value) for name, value in received.headers if (lower := name.lower()) in RESPONSE_HEADERS
        ]
        response.raw_headers = [*response.raw_headers, *forwarded]
        return response

    def _sender(self, request: Request) -> list[tuple[str, str]]:
        """Return the header that says who sends a request, from where, and in which visit of a browser."""
        address, identity = request.client.host if request.client else None, identity_of(request)
        return [(HEADER, self._tokens.make(identity.principal, COMMERCE, address, identity.session_id))]

    async def auth_state(self, after: int) -> Mapping[str, Any]:
        """Return the public keys of access tokens, and what was revoked after a position.

        Raises:
            CommerceUnavailable: the users service does not answer, or returns an error.
        """
        return await self.ask(f"/v1/auth/state?after={after}")

    async def verify_api_key(self, key: str) -> Mapping[str, Any] | None:
        """Return the principal of an API key as the sellers service knows it; None if the key is not valid.

        Raises:
            CommerceUnavailable: the sellers service does not answer, or returns an error.
        """
        return await self._internal("POST", "/v1/auth/api_keys/verification", {"key": key})

    async def seller_suspensions(self) -> Mapping[str, Any]:
        """Return the sellers that are suspended.

        Raises:
            CommerceUnavailable: the sellers service does not answer, or returns an error.
        """
        return await self.ask("/v1/seller_suspensions")

    async def ask(self, target: str) -> Mapping[str, Any]:
        """Return the response to `GET` this path and query, which the gateway itself requests.

        Raises:
            CommerceUnavailable: the service does not answer, or returns an error.
        """
        found = await self._internal("GET", target)
        if found is None:
            raise CommerceUnavailable(f"No commerce service has {target}.")
        return found

    async def followed_sellers(self, request: Request) -> frozenset[str]:
        """Return the sellers that the sender of a request follows; none for a guest or a process.

        Raises:
            CommerceUnavailable: the users service does not answer.
        """
        person = identity_of(request).signed_in
        if person is None or person.shopper_id is None:
            return frozenset()
        answer = await self.call(request, "GET", "/v1/me/followed_sellers")
        if not answer.is_success:
            raise CommerceUnavailable("The users service does not say which sellers you follow.")
        return frozenset(seller["seller_id"] for seller in answer.content["sellers"])

    async def call(
        self,
        sender: Principal | Request,
        method: str,
        target: str,
        body: Any = None,
        file: SentFile | None = None,
        key: str | None = None,
    ) -> CommerceResponse:
        """Send a request of a page: for the sender of the page's request, or for a principal of the gateway.

        `target` is the path and query, already percent-encoded. `body` is sent as JSON, or a file as it is.
        `key` is an `Idempotency-Key`.

        Raises:
            CommerceUnavailable: the service does not answer, or answers 5xx.
        """
        if isinstance(sender, Principal):
            headers = [(HEADER, self._tokens.make(sender, COMMERCE))]
        else:
            headers = self._sender(sender)
        if key is not None:
            headers.append(("idempotency-key", key))
        content = b""
        if file is not None:
            headers.append(("content-type", file.media_type))
            content = file.content
        elif body is not None:
            headers.append(("content-type", "application/json"))
            content = orjson.dumps(body)
        received = await self._send(service_of(method, target), method, target, headers, content)
        if received.status >= 500:
            raise CommerceUnavailable("The service is not available right now. Try again in a moment.")
        return CommerceResponse(received.status, orjson.loads(received.content) if received.content else None)

    async def file(self, request: Request, target: str) -> bytes:
        """Return a file of a service, for the sender of a request of a page; empty if the service refuses.

        Raises:
            CommerceUnavailable: the service does not answer, or answers 5xx.
        """
        received = await self._send(service_of("GET", target), "GET", target, self._sender(request))
        if received.status >= 500:
            raise CommerceUnavailable("The service is not available right now. Try again in a moment.")
        return received.content if received.status == 200 else b""

    async def _internal(self, method: str, target: str, body: Any = None) -> Mapping[str, Any] | None:
        """Send a request of the gateway itself. Return the response's JSON; None for 404."""
        response = await self.call(GATEWAY_ITSELF, method, target, body)
        if response.status == 404:
            return None
        if not response.is_success:
            raise CommerceUnavailable(f"A commerce service answered {response.status} to the gateway.")
        return cast(Mapping[str, Any], response.content)

    async def order(self, request: Request, order_id: str) -> dict[str, Any]:
        """Return an order as `GET /v1/orders/{order_id}` returns it to the sender of a request.

        Raises:
            UNKNOWN_ORDER: the sender has no order of this id.
            CommerceUnavailable: the commerce services do not answer, or return an error.
        """
        received = await self._send(
            "orders",
            "GET",
            target_path("/v1/orders/{order_id}", {"order_id": order_id}),
            self._sender(request),
        )
        if received.status in (404, 422):
            raise UNKNOWN_ORDER(order_id=order_id)
        if received.status != 200:
            raise CommerceUnavailable(
                "The order can't be shown right now. It is not lost: try again in a moment."
            )
        return cast(dict[str, Any], orjson.loads(received.content))

    async def _send(
        self,
        service: str,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]],
        body: bytes = b"",
    ) -> HttpResponse:
        """Send one request, and return the whole response."""
        send = partial(self.routes.request, service, method, target)
        return await self._sent(service, method, headers, body, send)

    async def _sent(
        self,
        service: str,
        method: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        send: Callable[..., Awaitable[R]],
    ) -> R:
        """Send one request. If its connection was closed, send it again if that is safe."""
        has_key = any(name == "idempotency-key" for name, _ in headers)
        is_repeatable = is_safe_to_retry(method, has_key)
        try:
            with child_span(f"{method} {service}", "client") as span:
                response = await send(
                    [*headers, *outgoing_headers(span.traceparent if span else "")],
                    body or None,
                    idempotent=is_repeatable,
                )
                note_status(span, response.status)
                return response
        except BreakerOpen as error:
            # This request was not sent, so that every method can be repeated.
            raise CommerceUnavailable(
                f"The service of {service} does not answer. Nothing is lost, and nothing was changed: "
                f"send the request again in {error.retry_after_s} s.",
                error.retry_after_s,
            ) from error
        except RequestFailed as error:
            failure = (
                f"The service of {service} is too slow to answer"
                if isinstance(error, RequestTimedOut)
                else f"The service of {service} does not answer ({error})"
            )
            raise CommerceUnavailable(f"{failure}. {retry_advice(method, has_key)}") from error


class _StreamedResponse(StreamingResponse):
    """A response that is passed on while it is read."""

    def __init__(self, stream: HttpStream) -> None:
        super().__init__(stream.parts(), stream.status)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._stream.aclose()


def _response(received: HttpResponse | HttpStream) -> Response:
    if isinstance(received, HttpStream):
        return _StreamedResponse(received)
    return Response(received.content, received.status)


def service_of(method: str, target: str) -> str:
    """Return the service that has a route for a request. `target` is its path and query.

    Raises:
        LookupError: none has.
    """
    path = target.partition("?")[0]
    for service, methods, pattern in _ROUTES:
        if method in methods and pattern.match(path):
            return service
    raise LookupError(f"no commerce service has a route for {method} {path}")


def target_path(path_format: str, parameters: Mapping[str, Any]) -> str:
    """Return the path of a route with these parameters."""
    return path_format.format_map({name: in_path(str(value)) for name, value in parameters.items()})
