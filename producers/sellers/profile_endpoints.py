"""`/v1/sellers/{seller_id}/profile` and `/suspension`: what is known of a seller, and whether it may sell."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import PRINTABLE, Id
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.http.guard import principal_of
from producers.sellers import admission, store
from producers.sellers.policy import POLICIES
from producers.sellers.problems import UnknownSeller
from producers.sellers.schemas import (
    NAME,
    PROFILE_REQUEST,
    REASON_REQUEST,
    ProfileResponse,
    SellerStatusResponse,
)

router = APIRouter(prefix="/v1/sellers/{seller_id}", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/profile", response_model=ProfileResponse)
async def show_profile(request: Request, seller_id: Id) -> Response:
    """A seller's profile and status."""
    async with transactions(request, NAME).connection() as sql:
        profile = await store.find_profile(sql, seller_id)
    if profile is None:
        raise UnknownSeller(seller_id)
    return json_response(profile)


@router.patch("/profile", response_model=ProfileResponse)
async def change_profile(request: Request, seller_id: Id) -> Response:
    """Change fields of a profile. The legal name, the tax id and the currency stay as they were approved."""
    body = await parse_body(request, PROFILE_REQUEST)
    async with transaction(request, NAME, seller_id) as tx:
        return json_response(await admission.change_profile(tx, seller_id, body.changes()))


@router.post("/suspension", response_model=SellerStatusResponse)
async def suspend(request: Request, seller_id: Id) -> Response:
    """Suspend a seller: its API keys stop at once, and its staff lose their access to it."""
    body = await parse_body(request, REASON_REQUEST)
    async with transaction(request, NAME, seller_id) as tx:
        await admission.suspend_seller(tx, seller_id, principal_of(request).subject, body.reason)
    return json_response({"seller_id": seller_id, "status": "suspended"})


@router.delete("/suspension", response_model=SellerStatusResponse)
async def reinstate(
    request: Request,
    seller_id: Id,
    reason: Annotated[str, Query(min_length=3, max_length=500, pattern=PRINTABLE)],
) -> Response:
    """End a seller's suspension."""
    async with transaction(request, NAME, seller_id) as tx:
        await admission.reinstate_seller(tx, seller_id, principal_of(request).subject, reason)
    return json_response({"seller_id": seller_id, "status": "approved"})
