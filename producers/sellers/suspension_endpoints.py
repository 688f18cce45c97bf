"""`/v1/seller_suspensions`: which sellers may not sell now, for the gateway, which polls it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from producers.http.endpoint import json_response, transactions
from producers.sellers import store
from producers.sellers.policy import POLICIES
from producers.sellers.schemas import NAME, SuspensionsResponse

router = APIRouter(prefix="/v1/seller_suspensions", tags=[NAME], route_class=guarded(POLICIES))


@router.get("", response_model=SuspensionsResponse)
async def list_suspensions(request: Request) -> Response:
    """The ids of all suspended sellers."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"seller_ids": await store.find_suspended(sql)})
