"""`/v1/sellers/{seller_id}/profile` and `/suspension`: what is known of a seller, and whether it may sell."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import PRINTABLE
from common.openapi import NOT_FOUND
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.services.sellers import admission, store
from producers.services.sellers.policy import ADMIN_WRITE, KEEPERS, SELLER
from producers.services.sellers.problems import UnknownSeller
from producers.services.sellers.schemas import (
    NAME,
    WRONG_STATUS,
    ProfileRequest,
    ProfileResponse,
    ReasonRequest,
    SellerStatusResponse,
)

router = APIRouter(prefix="/v1/sellers/{seller_id}", tags=["selling"], route_class=PublicRoute)


@router.get("/profile", summary="The profile of a seller", response_model=ProfileResponse)
@policy(allow("seller", "admin", "platform", traffic="read", seller_parameter=SELLER, scope="profile:read"))
async def seller_profile(request: Request, seller_id: SellerPath) -> Response:
    """Return a seller's profile and status."""
    async with transactions(request, NAME).connection() as sql:
        profile = await store.find_profile(sql, seller_id)
    if profile is None:
        raise UnknownSeller(seller_id)
    return json_response(profile)


@router.patch(
    "/profile", summary="Change the profile of a seller", response_model=ProfileResponse, responses=NOT_FOUND
)
@policy(replace(KEEPERS, scopes=frozenset({"profile:write"})))
async def change_seller_profile(
    request: Request,
    seller_id: SellerPath,
    body: Annotated[ProfileRequest, JsonBody({"city": "Campinas", "state": "SP"})],
) -> Response:
    """Change the fields that the body has. The legal name, the tax id and the currency do not change."""
    async with transaction(request, NAME, seller_id) as tx:
        return json_response(await admission.change_profile(tx, seller_id, body.changes()))


@router.post(
    "/suspension",
    summary="Suspend a seller",
    response_model=SellerStatusResponse,
    responses=NOT_FOUND | WRONG_STATUS,
)
@policy(ADMIN_WRITE)
async def suspend_seller(
    request: Request,
    seller_id: SellerPath,
    body: Annotated[ReasonRequest, JsonBody({"reason": "Parcels did not arrive."})],
) -> Response:
    """Suspend a seller. Its API keys stop at once, and its staff lose their access to it."""
    async with transaction(request, NAME, seller_id) as tx:
        await admission.suspend_seller(tx, seller_id, principal_of(request).subject, body.reason)
    return json_response({"seller_id": seller_id, "status": "suspended"})


@router.delete(
    "/suspension",
    summary="End the suspension of a seller",
    response_model=SellerStatusResponse,
    responses=NOT_FOUND | WRONG_STATUS,
)
@policy(ADMIN_WRITE)
async def reinstate_seller(
    request: Request,
    seller_id: SellerPath,
    reason: Annotated[
        str, Query(min_length=3, max_length=500, pattern=PRINTABLE, examples=["The parcels have arrived."])
    ],
) -> Response:
    """End a seller's suspension. Its staff and its API keys have their access again."""
    async with transaction(request, NAME, seller_id) as tx:
        await admission.reinstate_seller(tx, seller_id, principal_of(request).subject, reason)
    return json_response({"seller_id": seller_id, "status": "approved"})
