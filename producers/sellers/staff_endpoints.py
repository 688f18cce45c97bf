"""`/v1/sellers/{seller_id}/staff`: the people who work for a seller, and their roles."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import Id
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.http.guard import principal_of
from producers.requests.sender import wait_until_answered
from producers.sellers import store
from producers.sellers.policy import POLICIES
from producers.sellers.schemas import NAME, ROLE_REQUEST, StaffListResponse, Uuid
from producers.sellers.staff import change_role

router = APIRouter(prefix="/v1/sellers/{seller_id}/staff", tags=[NAME], route_class=guarded(POLICIES))


@router.get("", response_model=StaffListResponse)
async def list_staff(request: Request, seller_id: Id) -> Response:
    """The staff of a seller, those who were added first at the top, and the open invitations."""
    return await _staff(request, seller_id)


@router.put("/{user_id}", response_model=StaffListResponse)
async def change_staff(request: Request, seller_id: Id, user_id: Uuid) -> Response:
    """Give a member of the staff another role. It applies at once: their access tokens end."""
    body = await parse_body(request, ROLE_REQUEST)
    async with transaction(request, NAME, seller_id) as tx:
        await change_role(tx, seller_id, principal_of(request), user_id, body.role)
    await wait_until_answered(transactions(request, NAME), tx)
    return await _staff(request, seller_id)


@router.delete("/{user_id}", status_code=204)
async def remove_staff(request: Request, seller_id: Id, user_id: Uuid) -> Response:
    """Remove a member of the staff. Everybody may leave, except the last owner."""
    async with transaction(request, NAME, seller_id) as tx:
        await change_role(tx, seller_id, principal_of(request), user_id, None)
    await wait_until_answered(transactions(request, NAME), tx)
    return Response(status_code=204)


async def _staff(request: Request, seller_id: str) -> Response:
    sellers = transactions(request, NAME)
    async with sellers.connection() as sql:
        staff = await store.find_staff(sql, seller_id)
        invitations = await store.find_invitations(sql, seller_id, sellers.clock())
    return json_response({"staff": staff, "invitations": invitations})
