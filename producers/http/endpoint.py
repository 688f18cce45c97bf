"""What endpoints of every service share: their books, their bodies, their answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from common.json_bodies import JSON, calls_itself_json
from producers.http.problems import BadBody, NotJson
from producers.outbox.trace import Trace
from producers.outbox.transaction import Transaction, Transactions
from producers.running import RunningService


def transactions(request: Request, service: str) -> Transactions:
    """How an endpoint reaches its service's books.

    Raises:
        NotReadyYet: the service has not started yet.
    """
    running: RunningService = request.app.state.services[service]
    return running.transactions


@asynccontextmanager
async def transaction(request: Request, service: str, about: str) -> AsyncIterator[Transaction]:
    """A transaction of the request's own; `about` is what its events correlate by."""
    async with transactions(request, service).begin(trace_of(request, about)) as opened:
        yield opened


def trace_of(request: Request, about: str) -> Trace:
    """The first link of a chain about this (an order's id, say)."""
    return Trace.begun(about, request.headers.get("traceparent"))


async def read(request: Request, model: TypeAdapter[Any]) -> Any:
    """The request's body as `model` says.

    Raises:
        NotJson: its content type is another.
        BadBody: it is no JSON, or a field does not fit; it says which.
    """
    if not calls_itself_json(request.headers):
        raise NotJson
    try:
        return model.validate_json(await request.body())
    except ValidationError as error:
        raise BadBody(error) from error


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer that nobody keeps; datetimes are written in UTC with a Z."""
    return Response(as_bytes(body), status, {"Cache-Control": "no-store", **headers}, JSON)


def as_bytes(body: Any) -> bytes:
    """JSON as this API writes it."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)
