"""`/v1/sellers/{seller_id}/staff`: the people who work for a seller, and their roles."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.http.guard import principal_of
from producers.sellers import store
from producers.sellers.policy import POLICIES
from producers.sellers.schemas import (
    NAME,
    ROLE_REQUEST,
    STAFF_REQUEST,
    Id,
    InvitationResponse,
    StaffListResponse,
    Uuid,
)
from producers.sellers.staff import add_to_staff, change_role

router = APIRouter(prefix="/v1/sellers/{seller_id}/staff", tags=[NAME], route_class=guarded(POLICIES))


@router.get("", response_model=StaffListResponse)
async def list_staff(request: Request, seller_id: Id) -> Response:
    """The staff of a seller, those who were added first at the top."""
    return await _staff(request, seller_id)


@router.post("", status_code=202, response_model=InvitationResponse)
async def add_staff(request: Request, seller_id: Id) -> Response:
    """Add the person with an e-mail address. The response is the same for an address without an account."""
    body = await parse_body(request, STAFF_REQUEST)
    async with transaction(request, NAME, seller_id) as tx:
        await add_to_staff(tx, seller_id, principal_of(request), body.email, body.role)
    detail = (
        "If this address has an account, the person belongs to the staff now. Otherwise ask them to "
        "register, and send this request again."
    )
    return json_response({"email": body.email, "role": body.role, "detail": detail}, 202)


@router.put("/{user_id}", response_model=StaffListResponse)
async def change_staff(request: Request, seller_id: Id, user_id: Uuid) -> Response:
    """Give a member of the staff another role. It applies at once: their access tokens end."""
    body = await parse_body(request, ROLE_REQUEST)
    async with transaction(request, NAME, seller_id) as tx:
        await change_role(tx, seller_id, principal_of(request), user_id, body.role)
    return await _staff(request, seller_id)


@router.delete("/{user_id}", status_code=204)
async def remove_staff(request: Request, seller_id: Id, user_id: Uuid) -> Response:
    """Remove a member of the staff. Everybody may leave, except the last owner."""
    async with transaction(request, NAME, seller_id) as tx:
        await change_role(tx, seller_id, principal_of(request), user_id, None)
    return Response(status_code=204)


async def _staff(request: Request, seller_id: str) -> Response:
    async with transactions(request, NAME).connection() as sql:
        return json_response({"staff": await store.find_staff(sql, seller_id)})
