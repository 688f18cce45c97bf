"""`/v1/sellers/{seller_id}/staff`: the people who work for a seller, and their roles."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Uuid
from common.openapi import openapi_problem
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.requests.sender import wait_until_answered
from producers.services.sellers import store
from producers.services.sellers.model import STAFF_MANAGERS
from producers.services.sellers.policy import KEEPERS, SELLER
from producers.services.sellers.schemas import NAME, RoleRequest, StaffListResponse
from producers.services.sellers.staff import change_role

LAST_OWNER = openapi_problem(409, "A seller keeps at least one owner.")

UserId = Annotated[Uuid, Path(description="The id of a person of the staff.")]

router = APIRouter(prefix="/v1/sellers/{seller_id}/staff", tags=["selling"], route_class=PublicRoute)


@router.get("", summary="The staff of a seller", response_model=StaffListResponse)
@policy(
    allow(
        "seller", "admin", traffic="read", staff=STAFF_MANAGERS, seller_parameter=SELLER, scope="staff:read"
    )
)
async def staff(request: Request, seller_id: SellerPath) -> Response:
    """Return who works for a seller, in which role, and the invitations that were not answered yet."""
    return await _staff(request, seller_id)


@router.put(
    "/{user_id}",
    summary="Change the role of a person",
    response_model=StaffListResponse,
    responses=LAST_OWNER,
)
@policy(KEEPERS)
async def change_staff(
    request: Request,
    seller_id: SellerPath,
    user_id: UserId,
    body: Annotated[RoleRequest, JsonBody({"role": "manager"})],
) -> Response:
    """Give a person of the staff another role. It applies at once: their access tokens end."""
    async with transaction(request, NAME, seller_id) as tx:
        await change_role(tx, seller_id, principal_of(request), user_id, body.role)
    await wait_until_answered(transactions(request, NAME), tx)
    return await _staff(request, seller_id)


@router.delete("/{user_id}", summary="Remove a person from the staff", status_code=204, responses=LAST_OWNER)
@policy(allow("seller", "admin", traffic="write", seller_parameter=SELLER))
async def remove_staff(request: Request, seller_id: SellerPath, user_id: UserId) -> Response:
    """Remove a person from the staff. Everybody may leave, except the last owner."""
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
