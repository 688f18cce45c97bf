# ruff: noqa: ARG001 (an endpoint has a request)
import asyncio
from typing import Annotated, Any

import pytest
from fastapi import Request
from starlette.responses import Response

from common.access_policy import anyone
from common.guarded_route import policy
from producers.kit.http.routes import JsonBody, ServiceRoute

EMPTY = Request({"type": "http"})


async def read(request: Request, _model: Any) -> int:
    return 7


@policy(anyone("read"))
async def respond(request: Request) -> Response:
    return Response(b"own", 203)


@policy(anyone("read"))
async def find(request: Request) -> dict[str, int]:
    return {"found": 1}


@policy(anyone("read"))
async def delete(request: Request) -> None:
    """Nothing is returned."""


@policy(anyone("read"))
async def save(request: Request, number: Annotated[int, JsonBody(read=read)]) -> dict[str, int]:
    return {"saved": number}


@policy(anyone("read"))
async def forget(request: Request, number: Annotated[int, JsonBody(read=read)]) -> None:
    assert number == 7


@pytest.mark.parametrize(
    ("endpoint", "declared", "expected"),
    [
        (respond, {}, (203, b"own")),
        (find, {}, (200, b'{"found":1}')),
        (find, {"status_code": 202}, (202, b'{"found":1}')),
        (delete, {}, (204, b"")),
        (delete, {"status_code": 202}, (202, b"")),
        (save, {"status_code": 201}, (201, b'{"saved":7}')),
        (forget, {}, (204, b"")),
    ],
)
def test_a_response_is_what_the_endpoint_returns_with_the_status_of_the_route(endpoint, declared, expected):
    route = ServiceRoute("/x", endpoint, methods=["POST"], **declared)

    response = asyncio.run(route.endpoint(request=EMPTY))

    assert (response.status_code, response.body) == expected


def test_an_endpoint_that_returns_responses_and_takes_no_body_is_not_wrapped():
    assert ServiceRoute("/x", respond).endpoint is respond


def test_only_a_route_with_a_body_has_one():
    assert ServiceRoute("/x", find).body is None
    assert ServiceRoute("/x", save).body.model.__metadata__
