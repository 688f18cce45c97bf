"""All routes of sellers; and what other processes ask: which sellers are suspended, to forget a person."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from producers.kit.erasures import Erasure
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.routes import JsonBody, ServiceRoute
from producers.services.sellers import (
    api_key_endpoints,
    application_endpoints,
    commission_endpoints,
    cost_endpoints,
    staff_endpoints,
    store,
)
from producers.services.sellers.schemas import NAME, SuspensionsResponse

platform = APIRouter(prefix="/v1", route_class=ServiceRoute)

PLATFORM = allow("platform", traffic="operations")


@platform.get("/seller_suspensions", response_model=SuspensionsResponse)
@policy(PLATFORM)
async def list_suspensions(request: Request) -> Response:
    """The ids of all suspended sellers, for the gateway, which polls them."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"seller_ids": await store.find_suspended(sql)})


@platform.post("/erasures/sellers", status_code=204)
@policy(PLATFORM)
async def forget_person(request: Request, body: Annotated[Erasure, JsonBody()]) -> Response:
    """Delete what there is of a person who was erased."""
    async with transaction(request, NAME, "") as tx:
        await store.forget_person(tx, str(body.user_id), body.email)
    return Response(status_code=204)


router = APIRouter()
for each in (
    application_endpoints.router,
    staff_endpoints.router,
    api_key_endpoints.router,
    commission_endpoints.router,
    cost_endpoints.router,
    platform,
):
    router.include_router(each)
