"""The routes under `/v1` that forward requests to the commerce services: one for each of their public routes.

A service says at its route who may use it, what it takes and answers, and how the API describes it. What the
gateway adds is here: the limit of the body, its own problems, and checks that only it can make.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from inspect import unwrap
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from common.guarded_route import all_routes
from common.openapi import NOT_JSON, OPTIONAL_KEY, REQUIRED_KEY, json_request_body, openapi_problem
from common.retry_policy import SAFE_METHODS
from producers.kit.http.routes import BODY_LIMIT, LIST_LIMIT, PublicRoute
from producers.kit.service import Service
from producers.registry import SERVICES
from producers.services.configuration.endpoints import change_setting
from serving.commerce.commerce_client import CommerceClient
from serving.gateway.described_routes import DescribedRoute
from serving.kit.domain import DomainDefinition, opened, part_of
from serving.kit.request_body import read_body
from serving.kit.stream_slots import StreamSlots

_UNAVAILABLE = openapi_problem(
    503, "The commerce services do not answer; the detail says whether a retry is safe."
)
_UNUSABLE = openapi_problem(422, "The request can't be used; the detail says what is wrong with it.")
_TOO_LARGE = openapi_problem(413, "The body exceeds the limit of this route.")
_KEY_REFUSED = openapi_problem(400, "The `Idempotency-Key` is not valid.") | openapi_problem(
    409, "The `Idempotency-Key` was used with another request, or its first request is still running."
)


UPLOADS_OF_SELLER, UPLOADS = 2, 4
"""Requests with more than `LIST_LIMIT` bytes that a process forwards at the same time. They are in memory."""

CheckSetting = Callable[[str, object], Awaitable[None]]
"""Raises a problem if a change of a setting, by its name, would have no effect."""


@dataclass(frozen=True, slots=True)
class CommerceDomain:
    """The open client of the commerce services, what checks a change of a setting before it is sent, and the
    large bodies that are sent now."""

    client: CommerceClient
    check_setting: CheckSetting
    uploads: StreamSlots


CommerceDep = Annotated[CommerceClient, Depends(part_of(CommerceDomain, lambda domain: domain.client))]


async def _check_setting(request: Request, body: bytes) -> None:
    """Check a change of a setting against the catalogue, which the service of settings does not know.

    Raises: as `check_setting`. The service refuses a body that can't be read.
    """
    value = None
    with suppress(ValueError):
        content = orjson.loads(body)
        value = content.get("value") if isinstance(content, dict) else None
    await opened(request, CommerceDomain).check_setting(request.path_params["name"], value)


Check = Callable[[Request, bytes], Awaitable[None]]
"""Checks a request and its body before they are forwarded. Raises the problem if they are refused."""

CHECKS: Mapping[Callable[..., Any], Check] = {change_setting: _check_setting}
"""Endpoints of services whose requests the gateway checks against what only it knows."""


def commerce_router(services: Mapping[str, Service] = SERVICES) -> APIRouter:
    """Return the routes of the gateway to all public routes of the commerce services."""
    router = APIRouter(route_class=DescribedRoute)
    for name, service in services.items():
        for route in all_routes(service.router):
            if isinstance(route, PublicRoute):
                _add(router, name, route)
    return router


def _add(router: APIRouter, service: str, route: PublicRoute) -> None:
    """Add the route of the gateway that forwards to a route of a service."""
    limit = body_limit(route)
    responses, extra = dict(_UNAVAILABLE), dict[str, Any]()
    if route.body is not None or route.dependant.path_params or route.dependant.query_params:
        responses |= _UNUSABLE
    if limit:
        responses |= _TOO_LARGE
    if route.body is not None and route.body.is_json:
        responses |= NOT_JSON
        extra = json_request_body(route.body.model, route.body.example)
        extra["requestBody"]["content"] |= route.body.other
    elif route.body is not None:
        extra = {"requestBody": {"required": True, "content": {**route.body.other}}}
    if route.policy.handles_idempotency_key:
        extra["parameters"] = [REQUIRED_KEY]
    elif route.policy.stores_responses and not SAFE_METHODS.issuperset(route.methods or ()):
        responses |= _KEY_REFUSED
        extra["parameters"] = [OPTIONAL_KEY]
    router.add_api_route(
        route.path,
        _forwarding(service, route, limit, CHECKS.get(unwrap(route.endpoint))),
        name=route.name,
        methods=sorted(route.methods or ()),
        tags=route.tags,
        summary=route.summary,
        description=route.description,
        status_code=route.status_code,
        response_model=route.response_model,
        response_class=route.response_class,
        responses=responses | route.responses,
        openapi_extra=extra,
    )


def body_limit(route: PublicRoute) -> int:
    """Return how many bytes the body of a request may have. A write without a declared body may send one."""
    if route.body is not None:
        return route.body.limit
    return 0 if {"GET", "DELETE"}.issuperset(route.methods or ()) else BODY_LIMIT


def _forwarding(
    service: str, route: PublicRoute, limit: int, check: Check | None
) -> Callable[..., Awaitable[Response]]:
    """Return an endpoint that forwards requests, with the parameters and policy of a service's endpoint."""

    @wraps(route.endpoint)
    async def forward(request: Request, **_checked: Any) -> Response:
        end_upload = _begin_upload(request) if limit > LIST_LIMIT else None
        try:
            body = await read_body(request, limit)
            if check is not None:
                await check(request, body)
            return await opened(request, CommerceDomain).client.forward(request, service, body)
        finally:
            if end_upload is not None:
                end_upload()

    return forward


def _begin_upload(request: Request) -> Callable[[], None] | None:
    """Count a request with a large body, and return what ends it; None if its body is not large.

    Raises:
        TOO_MANY_STREAMS: the seller, or everybody together, sends as many as are allowed.
    """
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) <= LIST_LIMIT:
        return None
    return opened(request, CommerceDomain).uploads.take(str(request.path_params.get("seller_id", "")))


@asynccontextmanager
async def _open(client: CommerceClient, check_setting: CheckSetting) -> AsyncIterator[CommerceDomain]:
    """Return the open client with the check of changes of settings."""
    yield CommerceDomain(client, check_setting, StreamSlots("uploads", UPLOADS_OF_SELLER, UPLOADS))


COMMERCE = DomainDefinition((commerce_router(),), _open)
