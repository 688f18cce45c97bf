"""Invites people to the staff of a seller; they accept or refuse with the token of the mail."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.email_address import normalized_email
from common.ids import new_id
from common.principal import Principal, StaffRole
from common.secret_token import new_token, token_digest
from common.settings import Settings
from producers.kit.http.peers import Peers
from producers.kit.makers import USERS, Made, Makers
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.postgres.pruning import prune
from producers.kit.postgres.statements import statement
from producers.services.sellers import store
from producers.services.sellers.model import (
    INVITATION_LIFETIME,
    INVITERS,
    MAX_OPEN_INVITATIONS,
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
from producers.services.sellers.schemas import InvitationResponse, Membership, OpenInvitationResponse
from producers.services.sellers.staff import find_actor, find_roles, is_operator, join_staff, lock_staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(InvitationResponse):
    """An open invitation to the staff of a seller."""

    invitation_id: str
    email: str
    invited_by: str | None
    invited_at: datetime


async def invite(
    tx: Transaction,
    peers: Peers,
    seller_id: str,
    principal: Principal,
    given_email: str,
    role: StaffRole,
    site: str,
) -> OpenInvitationResponse:
    """Invite the person with an e-mail address, and send them a mail with a link to `site`.

    Nothing depends on whether the address has an account. An open invitation to the same address is replaced:
    its link ends. The mail is the last step: if the commit fails after it, its link leads nowhere.

    Raises:
        UNKNOWN_SELLER: there is no such seller that was approved.
        NOT_A_STAFF_MANAGER, ONLY_OWNERS: the principal may not do this.
        TOO_MANY_INVITATIONS: the seller has as many open invitations as it may have.
        TOO_MANY_MAILS: the address got as many invitations within an hour as it may get.
        ServiceNotReady: users does not answer.
    """
    staff = await lock_staff(tx, seller_id, principal)
    actor, email, token = find_actor(principal, staff), normalized_email(given_email), new_token()
    check_staff_change(actor, staff, None, role)
    for each in await find_invitations(tx.sql, seller_id, tx.now):
        if each["email"] == email:
            check_staff_change(actor, staff, None, each["role"])
    saved = await _save_invitation(
        tx,
        new_id(),
        seller_id,
        email,
        role,
        token_digest(token),
        principal.subject,
        tx.now + INVITATION_LIFETIME,
        MAX_OPEN_INVITATIONS,
    )
    if saved is None:
        raise TOO_MANY_INVITATIONS(limit=MAX_OPEN_INVITATIONS)
    profile = await store.find_profile(tx.sql, seller_id)
    link = f"{site}/staff_invitation?token={token}"
    sent = _mail(saved, profile.name or seller_id, link)
    if (await peers.ask(USERS, "/v1/mails", sent))["outcome"] == "limited":
        raise TOO_MANY_MAILS()
    return saved


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


async def withdraw(tx: Transaction, seller_id: str, principal: Principal, invitation_id: str) -> None:
    """Withdraw an open invitation: its link ends.

    Raises:
        UNKNOWN_SELLER, UNKNOWN_INVITATION: there is no such seller, or it has no such invitation.
        NOT_A_STAFF_MANAGER, ONLY_OWNERS: the principal could not send this invitation.
    """
    staff = await lock_staff(tx, seller_id, principal)
    found = await find_invitations(tx.sql, seller_id, tx.now)
    role = next((each["role"] for each in found if each["invitation_id"] == invitation_id), None)
    check_staff_change(find_actor(principal, staff), staff, None, role or "fulfilment")
    if role is None:
        raise UNKNOWN_INVITATION(seller_id=seller_id, invitation_id=invitation_id)
    await delete_invitation(tx, invitation_id)


async def find_open(transactions: Transactions, makers: Makers, token: str, user_id: str) -> Invitation:
    """Return the open invitation with a token, for the person who was invited.

    It asks users, so no transaction is open meanwhile.

    Raises:
        INVITATION_ENDED: it is not open, the seller is suspended, or its sender may not send it any more.
        NOT_THE_INVITED_PERSON: the verified address of the person is another one.
        ServiceNotReady: users does not answer.
    """
    async with transactions.connection() as sql:
        invitation = await _find_invitation(sql, token_digest(token), transactions.clock())
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
    if sender is None:
        return False
    return is_operator(sender) or invitation.role in roles_to_give(sender.sellers.get(invitation.seller_id))


async def accept(tx: Transaction, token: str, user_id: str) -> Membership:
    """Make the person for whom `find_open` has found an invitation a member of the staff.

    A member keeps their role.

    Raises:
        INVITATION_ENDED: it has ended meanwhile.
        TOO_MANY_SELLERS: the person works for as many sellers as a person may.
    """
    found = await _find_invitation(tx.sql, token_digest(token), tx.now)
    if found is None:
        raise INVITATION_ENDED()
    await store.lock_seller(tx, found.seller_id)
    invitation = await _find_invitation(tx.sql, token_digest(token), tx.now)
    if invitation is None:  # it has ended before the lock
        raise INVITATION_ENDED()
    await delete_invitation(tx, invitation.invitation_id)
    staff = await find_roles(tx, found.seller_id)
    if user_id in staff:
        return Membership(found.seller_id, staff[user_id])
    hint = masked_email(invitation.email)
    await join_staff(tx, found.seller_id, user_id, invitation.role, invitation.invited_by, hint)
    return Membership(found.seller_id, invitation.role)


async def prune_tables(transactions: Transactions, _settings: Settings) -> None:
    """Delete expired invitations once an hour, until cancelled.

    So addresses of people who did not answer are not kept.
    """
    await prune("sellers invitations", transactions, _PRUNE_INVITATIONS, timedelta(0))


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
    SELECT invitation_id, email, role, expires_at
    FROM staff_invitations
    WHERE seller_id = $seller_id::text AND expires_at > $now::timestamptz
    ORDER BY invited_at, invitation_id
""")
async def find_invitations(sql: Any, seller_id: str, now: datetime) -> list[OpenInvitationResponse]:
    """Return the open invitations of a seller, oldest first."""


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


_PRUNE_INVITATIONS = """
DELETE FROM staff_invitations
WHERE invitation_id IN (
    SELECT invitation_id FROM staff_invitations WHERE expires_at < now() - $1::interval LIMIT $2::integer
)
"""
