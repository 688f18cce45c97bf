"""What other processes of the platform ask: which sellers are suspended, and to forget a person."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from producers.kit.erasures import Erasure
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.routes import JsonBody, ServiceRoute
from producers.services.sellers import store
from producers.services.sellers.schemas import NAME, SuspensionsResponse

router = APIRouter(prefix="/v1", route_class=ServiceRoute)

PLATFORM = allow("platform", traffic="operations")


@router.get("/seller_suspensions", response_model=SuspensionsResponse)
@policy(PLATFORM)
async def list_suspensions(request: Request) -> Response:
    """The ids of all suspended sellers, for the gateway, which polls them."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"seller_ids": await store.find_suspended(sql)})


@router.post("/erasures/sellers", status_code=204)
@policy(PLATFORM)
async def forget_person(request: Request, body: Annotated[Erasure, JsonBody()]) -> Response:
    """Delete what there is of a person who was erased."""
    async with transaction(request, NAME, "") as tx:
        await store.forget_person(tx, str(body.user_id), body.email)
    return Response(status_code=204)
