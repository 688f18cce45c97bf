"""All routes of sellers; and what other processes ask: which sellers are suspended, to forget a person."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import policy
from producers.kit.erasures import erasure_router
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.routes import PLATFORM, ServiceRoute
from producers.services.sellers import (
    api_key_endpoints,
    application_endpoints,
    commission_endpoints,
    cost_endpoints,
    invitations,
    staff,
    store,
)
from producers.services.sellers.schemas import NAME, SuspensionsResponse

platform = APIRouter(prefix="/v1", route_class=ServiceRoute)


@platform.get("/seller_suspensions", response_model=SuspensionsResponse)
@policy(PLATFORM)
async def list_suspensions(request: Request) -> Response:
    """The ids of all suspended sellers, for the gateway, which polls them."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"seller_ids": await store.find_suspended(sql)})


router = APIRouter()
for each in (
    application_endpoints.router,
    staff.router,
    invitations.router,
    api_key_endpoints.router,
    commission_endpoints.router,
    cost_endpoints.router,
    platform,
    erasure_router(NAME, store.forget_person),
):
    router.include_router(each)
