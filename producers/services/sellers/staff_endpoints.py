"""The people who work for a seller, their roles, and the invitations to its staff with their answers."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Uuid
from common.openapi import openapi_problem
from producers.kit.http.endpoint import context, json_response, settings_of, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.postgres.statements import narrowed
from producers.kit.requests.sender import wait_until_answered
from producers.services.sellers.application_endpoints import person_id
from producers.services.sellers.invitations import (
    accept,
    delete_invitation,
    find_invitations,
    find_open,
    invite,
    withdraw,
)
from producers.services.sellers.model import INVITERS, KEEPERS, READ_OWN, SELLER, STAFF_MANAGERS, WRITE_OWN
from producers.services.sellers.schemas import (
    NAME,
    InvitationRequest,
    InvitationResponse,
    InvitationTokenRequest,
    Membership,
    OpenInvitationResponse,
    RoleRequest,
    StaffListResponse,
)
from producers.services.sellers.staff import change_role, find_staff

KEEPS_AN_OWNER = openapi_problem(409, "A seller keeps at least one owner.")

UserId = Annotated[Uuid, Path(description="The id of a person of the staff.")]

EXAMPLE_TOKEN = {"token": "3Q2bXw0m5gJvX1oYkKq8cQm2m8nC8m0TzV6f0b7n9aE"}
NOT_FOR_YOU = openapi_problem(403, "The invitation is for another e-mail address.") | openapi_problem(
    410, "The invitation was answered, replaced or withdrawn, or has expired."
)

InvitationId = Annotated[Uuid, Path(description="The id of an open invitation.")]

router = APIRouter(prefix="/v1", tags=["selling"], route_class=PublicRoute)


@router.get("/sellers/{seller_id}/staff", summary="The staff of a seller", response_model=StaffListResponse)
@policy(
    allow(
        "seller", "admin", traffic="read", staff=STAFF_MANAGERS, seller_parameter=SELLER, scope="staff:read"
    )
)
async def staff(request: Request, seller_id: SellerPath) -> Response:
    """Return who works for a seller, in which role, and the invitations that were not answered yet."""
    return await _staff(request, seller_id)


@router.put(
    "/sellers/{seller_id}/staff/{user_id}",
    summary="Change the role of a person",
    response_model=StaffListResponse,
    responses=KEEPS_AN_OWNER,
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


@router.delete(
    "/sellers/{seller_id}/staff/{user_id}",
    summary="Remove a person from the staff",
    status_code=204,
    responses=KEEPS_AN_OWNER,
)
@policy(allow("seller", "admin", traffic="write", seller_parameter=SELLER))
async def remove_staff(request: Request, seller_id: SellerPath, user_id: UserId) -> Response:
    """Remove a person from the staff. Everybody may leave, except the last owner."""
    async with transaction(request, NAME, seller_id) as tx:
        await change_role(tx, seller_id, principal_of(request), user_id, None)
    await wait_until_answered(transactions(request, NAME), tx)
    return Response(status_code=204)


@router.post(
    "/sellers/{seller_id}/staff_invitations",
    summary="Invite a person to the staff",
    status_code=201,
    response_model=OpenInvitationResponse,
    responses=openapi_problem(409, "The seller has as many open invitations as it may have.")
    | openapi_problem(429, "Too many mails to this address, or too many requests."),
)
@policy(INVITERS)
async def invite_to_staff(
    request: Request,
    seller_id: SellerPath,
    body: Annotated[InvitationRequest, JsonBody({"email": "rui@lamps.example", "role": "fulfilment"})],
) -> Response:
    """Send a mail with which a person joins the staff. Another invitation to the same address replaces it.

    The response is the same whether or not the address has an account.
    """
    site, peers = settings_of(request, NAME).public, context(request, NAME).peers
    async with transaction(request, NAME, seller_id) as tx:
        invitation = await invite(tx, peers, seller_id, principal_of(request), body.email, body.role, site)
    return json_response(invitation, 201)


@router.delete(
    "/sellers/{seller_id}/staff_invitations/{invitation_id}",
    summary="Withdraw an invitation",
    status_code=204,
)
@policy(KEEPERS)
async def withdraw_invitation(
    request: Request, seller_id: SellerPath, invitation_id: InvitationId
) -> Response:
    """Withdraw an invitation that was not answered yet. Its link ends."""
    async with transaction(request, NAME, seller_id) as tx:
        await withdraw(tx, seller_id, principal_of(request), invitation_id)
    return Response(status_code=204)


@router.post(
    "/staff_invitations/lookups",
    summary="The invitation with a token",
    response_model=InvitationResponse,
    responses=NOT_FOR_YOU,
)
@policy(READ_OWN)
async def find_invitation(
    request: Request, body: Annotated[InvitationTokenRequest, JsonBody(EXAMPLE_TOKEN)]
) -> Response:
    """Return which seller invites you, and to which role. The token is that of the mail."""
    user_id = person_id(principal_of(request))
    found = await find_open(transactions(request, NAME), context(request, NAME), body.token, user_id)
    return json_response(narrowed(InvitationResponse, found))


@router.post(
    "/staff_invitations/acceptances",
    summary="Accept an invitation",
    response_model=Membership,
    responses=NOT_FOR_YOU | openapi_problem(409, "You work for as many sellers as a person may."),
)
@policy(WRITE_OWN)
async def accept_invitation(
    request: Request, body: Annotated[InvitationTokenRequest, JsonBody(EXAMPLE_TOKEN)]
) -> Response:
    """Join the staff of a seller, with an account that has the invited address.

    The role applies at once: your access tokens end, and the next refresh gives one with the role.
    """
    user_id = person_id(principal_of(request))
    await find_open(transactions(request, NAME), context(request, NAME), body.token, user_id)
    async with transaction(request, NAME, user_id) as tx:
        joined = await accept(tx, body.token, user_id)
    await wait_until_answered(transactions(request, NAME), tx)
    return json_response(joined)


@router.post(
    "/staff_invitations/refusals",
    summary="Refuse an invitation",
    status_code=204,
    responses=NOT_FOR_YOU,
)
@policy(WRITE_OWN)
async def refuse_invitation(
    request: Request, body: Annotated[InvitationTokenRequest, JsonBody(EXAMPLE_TOKEN)]
) -> Response:
    """Refuse an invitation. Its link ends."""
    user_id = person_id(principal_of(request))
    found = await find_open(transactions(request, NAME), context(request, NAME), body.token, user_id)
    async with transaction(request, NAME, user_id) as tx:
        await delete_invitation(tx, found.invitation_id)
    return Response(status_code=204)


async def _staff(request: Request, seller_id: str) -> Response:
    sellers = transactions(request, NAME)
    async with sellers.connection() as sql:
        staff = await find_staff(sql, seller_id)
        invitations = await find_invitations(sql, seller_id, sellers.clock())
    return json_response({"staff": staff, "invitations": invitations})
