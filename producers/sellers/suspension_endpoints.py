"""`/v1/seller_suspensions`: which sellers may not sell now, for the gateway, which polls it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from producers.http.endpoint import json_response, transactions
from producers.http.routes import ServiceRoute
from producers.sellers import store
from producers.sellers.schemas import NAME, SuspensionsResponse

router = APIRouter(prefix="/v1/seller_suspensions", route_class=ServiceRoute)


@router.get("", response_model=SuspensionsResponse)
@policy(allow("platform", traffic="operations"))
async def list_suspensions(request: Request) -> Response:
    """The ids of all suspended sellers."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"seller_ids": await store.find_suspended(sql)})
