"""What other processes of the platform ask: which sellers are suspended, and to forget a person."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from producers.erasures import ERASURE, Erasure
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.sellers import store
from producers.sellers.policy import POLICIES
from producers.sellers.schemas import NAME, SuspensionsResponse

router = APIRouter(prefix="/v1", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/seller_suspensions", response_model=SuspensionsResponse)
async def list_suspensions(request: Request) -> Response:
    """The ids of all suspended sellers, for the gateway, which polls them."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"seller_ids": await store.find_suspended(sql)})


@router.post("/erasures/sellers", status_code=204)
async def forget_person(request: Request) -> Response:
    """Delete what there is of a person who was erased."""
    erasure: Erasure = await parse_body(request, ERASURE)
    async with transaction(request, NAME, "") as tx:
        await store.forget_person(tx, str(erasure.user_id), erasure.email)
    return Response(status_code=204)
