"""Functions for the endpoints of every service: transactions, request bodies and responses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from common.content_type import JSON, has_json_content_type
from common.settings import Settings
from common.tracing import current_span
from producers.kit.http.idempotency import mark_committed
from producers.kit.http.problems import NOT_JSON, BadBody
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.service_runner import ServiceRunner


def transactions(request: Request, service: str) -> Transactions:
    """Return the transactions of an endpoint's service.

    Raises:
        ServiceNotReady: the service has not started yet.
    """
    if (span := current_span()) is not None:
        span.service = service
    running: ServiceRunner = request.app.state.services[service]
    return running.transactions


def context(request: Request, service: str) -> Any:
    """Return what the service's `Service.context` made when the process started."""
    running: ServiceRunner = request.app.state.services[service]
    return running.context


def settings_of(request: Request, service: str) -> Settings:
    """Return the settings of an endpoint's service."""
    running: ServiceRunner = request.app.state.services[service]
    return running.settings


@asynccontextmanager
async def transaction(request: Request, service: str, about: str) -> AsyncIterator[Transaction]:
    """Open a transaction for a request. `about` is the correlation id of its events, such as an order id.

    If the request has an `Idempotency-Key`, the transaction also records that its changes are made.
    """
    async with transactions(request, service).begin(trace_of(request, about)) as opened:
        yield opened
        await mark_committed(request, opened.sql)


def trace_of(request: Request, about: str) -> Trace:
    """Return the trace of a chain that this request starts; `about` is its correlation id."""
    return Trace.start(about, request.headers.get("traceparent"))


async def parse_body(request: Request, model: TypeAdapter[Any]) -> Any:
    """Validate the request's body with `model`.

    Raises:
        NOT_JSON: the content type is not JSON.
        BadBody: the body is not JSON, or a field is invalid.
    """
    await require_json(request, model)
    try:
        return model.validate_json(await request.body())
    except ValidationError as error:
        raise BadBody(error) from error


async def require_json(request: Request, _model: TypeAdapter[Any]) -> None:
    """Check that the content type of a body, which the endpoint ignores, is JSON.

    Raises:
        NOT_JSON: it is another one.
    """
    if not has_json_content_type(request.headers):
        raise NOT_JSON()


def json_response(body: Any, status: int = 200, **headers: str) -> Response:
    """Return a JSON response that is not cached. Datetimes are in UTC and end in Z."""
    return Response(to_json(body), status, {"Cache-Control": "no-store", **headers}, JSON)


def to_json(body: Any) -> bytes:
    """Return JSON as this API writes it."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)
