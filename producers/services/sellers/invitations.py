"""Invites people to the staff of a seller; they accept or refuse with the token of the mail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.email_address import normalized_email
from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.openapi import openapi_problem
from common.principal import StaffRole
from common.secret_token import new_token, token_digest
from producers.kit.http.endpoint import context, json_response, settings_of, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.makers import USERS, Made, Makers
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import narrowed, statement
from producers.kit.requests.sender import wait_until_answered
from producers.services.sellers import store
from producers.services.sellers.application_endpoints import person_of
from producers.services.sellers.model import (
    INVITATION_LIFETIME,
    INVITERS,
    KEEPERS,
    MAX_OPEN_INVITATIONS,
    READ_OWN,
    WRITE_OWN,
    check_staff_change,
    masked_email,
    roles_to_give,
)
from producers.services.sellers.problems import (
    INVITATION_ENDED,
    NOT_THE_INVITED_PERSON,
    TOO_MANY_INVITATIONS,
    TOO_MANY_MAILS,
    UNKNOWN_INVITATION,
)
from producers.services.sellers.schemas import (
    NAME,
    InvitationRequest,
    InvitationResponse,
    InvitationTokenRequest,
    Membership,
    OpenInvitationResponse,
)
from producers.services.sellers.staff import (
    find_actor,
    find_invitations,
    find_roles,
    is_operator,
    join_staff,
    lock_staff,
)

EXAMPLE_TOKEN = {"token": "3Q2bXw0m5gJvX1oYkKq8cQm2m8nC8m0TzV6f0b7n9aE"}
NOT_FOR_YOU = openapi_problem(403, "The invitation is for another e-mail address.") | openapi_problem(
    410, "The invitation was answered, replaced or withdrawn, or has expired."
)

InvitationId = Annotated[Uuid, Path(description="The id of an open invitation.")]

router = APIRouter(prefix="/v1", tags=["selling"], route_class=PublicRoute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(InvitationResponse):
    """An open invitation to the staff of a seller."""

    invitation_id: str
    email: str
    invited_by: str | None
    invited_at: datetime


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
    # Nothing depends on whether the address has an account. The mail is the last step: if the commit fails
    # after it, its link leads nowhere.
    principal, peers = principal_of(request), context(request, NAME).peers
    email, token = normalized_email(body.email), new_token()
    async with transaction(request, NAME, seller_id) as tx:
        staff = await lock_staff(tx, seller_id, principal)
        actor = find_actor(principal, staff)
        check_staff_change(actor, staff, None, body.role)
        for each in await find_invitations(tx.sql, seller_id, tx.now):
            if each["email"] == email:
                check_staff_change(actor, staff, None, each["role"])
        invitation = require(
            await _save_invitation(
                tx,
                new_id(),
                seller_id,
                email,
                body.role,
                token_digest(token),
                principal.subject,
                tx.now + INVITATION_LIFETIME,
                MAX_OPEN_INVITATIONS,
            ),
            TOO_MANY_INVITATIONS(limit=MAX_OPEN_INVITATIONS),
        )
        profile = await store.find_profile(tx.sql, seller_id)
        link = f"{settings_of(request, NAME).public}/staff_invitation?token={token}"
        sent = _mail(invitation, profile.name or seller_id, link)
        if (await peers.ask(USERS, "/v1/mails", sent))["outcome"] == "limited":
            raise TOO_MANY_MAILS()
    return json_response(invitation, 201)


@router.delete(
    "/sellers/{seller_id}/staff_invitations/{invitation_id}",
    summary="Withdraw an invitation",
    status_code=204,
)
@policy(KEEPERS)
async def withdraw_invitation(request: Request, seller_id: SellerPath, invitation_id: InvitationId) -> None:
    """Withdraw an invitation that was not answered yet. Its link ends."""
    principal = principal_of(request)
    unknown = UNKNOWN_INVITATION(seller_id=seller_id, invitation_id=invitation_id)
    async with transaction(request, NAME, seller_id) as tx:
        staff = await lock_staff(tx, seller_id, principal)
        found = await find_invitations(tx.sql, seller_id, tx.now)
        role = next((each["role"] for each in found if each["invitation_id"] == invitation_id), None)
        check_staff_change(find_actor(principal, staff), staff, None, role or "fulfilment")
        require(role, unknown)
        await delete_invitation(tx, invitation_id)


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
    found = await find_open(request, body.token)
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
    user_id = person_of(request)
    await find_open(request, body.token)
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
) -> None:
    """Refuse an invitation. Its link ends."""
    found = await find_open(request, body.token)
    async with transaction(request, NAME, principal_of(request).subject) as tx:
        await delete_invitation(tx, found.invitation_id)


def _mail(invitation: OpenInvitationResponse, seller_name: str, link: str) -> dict[str, str]:
    """Return the mail of an invitation. The text is the same whether or not the person has an account."""
    return {
        "mail_id": invitation["invitation_id"],
        "kind": "staff_invitation",
        "to": invitation["email"],
        "subject": f"Join the staff of {seller_name}",
        "text": f"{seller_name} invites you to its staff, with the role {invitation['role']}. Follow this "
        f"link to accept or to refuse. It works once, for 7 days:\n\n{link}\n\nYou need an account with "
        "this e-mail address; if you have none yet, the page leads you to the registration. If you don't "
        "know this seller, ignore this mail: nothing was changed.\n",
    }


async def find_open(request: Request, token: str) -> Invitation:
    """Return the open invitation with a token, for the person who was invited and sends a request.

    It asks users, so no transaction is open meanwhile.

    Raises:
        NOT_A_PERSON: the sender is no registered person.
        INVITATION_ENDED: it is not open, the seller is suspended, or its sender may not send it any more.
        NOT_THE_INVITED_PERSON: the verified address of the person is another one.
        ServiceNotReady: users does not answer.
    """
    user_id, running = person_of(request), transactions(request, NAME)
    makers: Makers = context(request, NAME)
    async with running.connection() as sql:
        invitation = await _find_invitation(sql, token_digest(token), running.clock())
    if invitation is None or not await _may_still_invite(makers, invitation):
        raise INVITATION_ENDED()
    found = await makers.peers.find(USERS, "/v1/people/lookups", {"email": invitation.email})
    if found is None or found["user_id"] != user_id:
        raise NOT_THE_INVITED_PERSON()
    return invitation


async def _may_still_invite(makers: Makers, invitation: Invitation) -> bool:
    """Return whether the sender of an invitation could send it now."""
    sent = Made(invitation.invited_by, invitation.invited_at, invitation.seller_id)
    sender = await makers.find(sent, INVITERS)
    return sender is not None and (
        is_operator(sender) or invitation.role in roles_to_give(sender.sellers.get(invitation.seller_id))
    )


async def accept(tx: Transaction, token: str, user_id: str) -> Membership:
    """Make the person for whom `find_open` has found an invitation a member of the staff.

    A member keeps their role.

    Raises:
        INVITATION_ENDED: it has ended meanwhile.
        TOO_MANY_SELLERS: the person works for as many sellers as a person may.
    """
    found = require(await _find_invitation(tx.sql, token_digest(token), tx.now), INVITATION_ENDED())
    await store.lock_seller(tx, found.seller_id)
    # It may have ended before the lock.
    invitation = require(await _find_invitation(tx.sql, token_digest(token), tx.now), INVITATION_ENDED())
    await delete_invitation(tx, invitation.invitation_id)
    staff = await find_roles(tx, found.seller_id)
    if user_id in staff:
        return Membership(found.seller_id, staff[user_id])
    hint = masked_email(invitation.email)
    await join_staff(tx, found.seller_id, user_id, invitation.role, invitation.invited_by, hint)
    return Membership(found.seller_id, invitation.role)


@statement("""
    INSERT INTO staff_invitations
        (invitation_id, seller_id, email, role, token_sha256, invited_at, invited_by, expires_at)
    SELECT
        $invitation_id::uuid, $seller_id::text, $email::text, $role::text, $token_sha256::bytea,
        $tx.now::timestamptz, $invited_by::text, $expires_at::timestamptz
    WHERE (
        SELECT count(*) FROM staff_invitations
        WHERE seller_id = $seller_id::text AND email <> $email::text AND expires_at > $tx.now::timestamptz
    ) < $limit::integer
    ON CONFLICT (seller_id, email) DO UPDATE SET
        invitation_id = excluded.invitation_id,
        role = excluded.role,
        token_sha256 = excluded.token_sha256,
        invited_at = excluded.invited_at,
        invited_by = excluded.invited_by,
        expires_at = excluded.expires_at
    RETURNING invitation_id, email, role, expires_at
""")
async def _save_invitation(
    tx: Transaction,
    invitation_id: str,
    seller_id: str,
    email: str,
    role: StaffRole,
    token_sha256: bytes,
    invited_by: str,
    expires_at: datetime,
    limit: int,
) -> OpenInvitationResponse | None:
    """Save an invitation of a locked seller and return it; None if `limit` others are open already.

    It replaces an earlier one to the same address, whose link ends.
    """


@statement("""
    SELECT
        invitation_id, seller_id, email, role, invited_by, invited_at, expires_at, sellers.name AS seller_name
    FROM staff_invitations
    JOIN sellers USING (seller_id)
    WHERE token_sha256 = $token_sha256::bytea AND expires_at > $now::timestamptz
        AND sellers.status = 'approved'
""")
async def _find_invitation(sql: Any, token_sha256: bytes, now: datetime) -> Invitation | None:
    """Return the open invitation of a token; None if it has ended or its seller is suspended."""


@statement("DELETE FROM staff_invitations WHERE invitation_id = $invitation_id::uuid RETURNING invitation_id")
async def delete_invitation(tx: Transaction, invitation_id: str) -> None:
    """Delete an invitation, which has ended."""


PRUNE_INVITATIONS = """
DELETE FROM staff_invitations
WHERE invitation_id IN (
    SELECT invitation_id FROM staff_invitations WHERE expires_at < now() - $1::interval LIMIT $2::integer
)
"""
"""Deletes expired invitations, so that addresses of people who did not answer are not kept."""
