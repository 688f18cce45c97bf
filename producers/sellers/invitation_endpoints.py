"""`/v1/sellers/{seller_id}/staff_invitations` and `/v1/staff_invitations`: inviting people; their answers."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import Id
from producers.http.endpoint import context, json_response, parse_body, settings_of, transaction, transactions
from producers.http.guard import principal_of
from producers.requests.sender import wait_until_answered
from producers.sellers import store
from producers.sellers.application_endpoints import person_id
from producers.sellers.invitations import accept, find_open, invite, withdraw
from producers.sellers.policy import POLICIES
from producers.sellers.schemas import (
    INVITATION_REQUEST,
    INVITATION_TOKEN_REQUEST,
    NAME,
    InvitationResponse,
    MembershipResponse,
    OpenInvitationResponse,
    Uuid,
)

router = APIRouter(prefix="/v1", tags=[NAME], route_class=guarded(POLICIES))


@router.post("/sellers/{seller_id}/staff_invitations", status_code=201, response_model=OpenInvitationResponse)
async def create_invitation(request: Request, seller_id: Id) -> Response:
    """Invite a person by mail. The response is the same whether or not the address has an account."""
    body = await parse_body(request, INVITATION_REQUEST)
    site, peers = settings_of(request, NAME).public, context(request, NAME).peers
    async with transaction(request, NAME, seller_id) as tx:
        invitation = await invite(tx, peers, seller_id, principal_of(request), body.email, body.role, site)
    return json_response(invitation, 201)


@router.delete("/sellers/{seller_id}/staff_invitations/{invitation_id}", status_code=204)
async def withdraw_invitation(request: Request, seller_id: Id, invitation_id: Uuid) -> Response:
    """Withdraw an open invitation: its link ends."""
    async with transaction(request, NAME, seller_id) as tx:
        await withdraw(tx, seller_id, principal_of(request), invitation_id)
    return Response(status_code=204)


@router.post("/staff_invitations/lookups", response_model=InvitationResponse)
async def find_invitation(request: Request) -> Response:
    """The invitation with a token, for the invited person. The token is in the body, so no log has it."""
    user_id = person_id(principal_of(request))
    body = await parse_body(request, INVITATION_TOKEN_REQUEST)
    found = await find_open(transactions(request, NAME), context(request, NAME), body.token, user_id)
    return json_response(
        {
            "seller_id": found.seller_id,
            "seller_name": found.seller_name,
            "role": found.role,
            "expires_at": found.expires_at,
        }
    )


@router.post("/staff_invitations/acceptances", response_model=MembershipResponse)
async def accept_invitation(request: Request) -> Response:
    """Accept an invitation. The role applies at once: the person's access tokens end."""
    user_id = person_id(principal_of(request))
    body = await parse_body(request, INVITATION_TOKEN_REQUEST)
    await find_open(transactions(request, NAME), context(request, NAME), body.token, user_id)
    async with transaction(request, NAME, user_id) as tx:
        joined = await accept(tx, body.token, user_id)
    await wait_until_answered(transactions(request, NAME), tx)
    return json_response({"seller_id": joined.seller_id, "role": joined.role})


@router.post("/staff_invitations/refusals", status_code=204)
async def refuse_invitation(request: Request) -> Response:
    """Refuse an invitation: its link ends."""
    user_id = person_id(principal_of(request))
    body = await parse_body(request, INVITATION_TOKEN_REQUEST)
    found = await find_open(transactions(request, NAME), context(request, NAME), body.token, user_id)
    async with transaction(request, NAME, user_id) as tx:
        await store.delete_invitation(tx, found.invitation_id)
    return Response(status_code=204)
