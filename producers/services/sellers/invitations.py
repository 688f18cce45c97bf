"""Invites people to the staff of a seller; they accept or refuse with the token of the mail."""

from dataclasses import asdict, dataclass

from common.email_address import normalized_email
from common.ids import new_id
from common.principal import Principal, StaffRole
from common.secret_token import new_token, token_digest
from producers.kit.http.peers import Peers
from producers.kit.makers import USERS, Made, Makers
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.services.sellers import store
from producers.services.sellers.mails import staff_invitation
from producers.services.sellers.model import (
    INVITATION_LIFETIME,
    MAX_OPEN_INVITATIONS,
    check_staff_change,
    masked_email,
    roles_to_give,
)
from producers.services.sellers.policy import INVITERS
from producers.services.sellers.problems import (
    InvitationEnded,
    NotTheInvitedPerson,
    TooManyInvitations,
    TooManyMails,
    UnknownInvitation,
)
from producers.services.sellers.schemas import OpenInvitationResponse
from producers.services.sellers.staff import find_actor, is_operator, join_staff, lock_staff
from producers.services.sellers.store import Invitation


@dataclass(frozen=True, slots=True)
class Membership:
    """The role that a person has at a seller."""

    seller_id: str
    role: StaffRole


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
        UnknownSeller: there is no such seller that was approved.
        NotAStaffManager, OnlyOwners: the principal may not do this.
        TooManyInvitations: the seller has as many open invitations as it may have.
        TooManyMails: the address got as many invitations within an hour as it may get.
        ServiceNotReady: users does not answer.
    """
    staff = await lock_staff(tx, seller_id, principal)
    actor, email, token = find_actor(principal, staff), normalized_email(given_email), new_token()
    check_staff_change(actor, staff, None, role)
    for each in await store.find_invitations(tx.sql, seller_id, tx.now):
        if each["email"] == email:
            check_staff_change(actor, staff, None, each["role"])
    invitation = Invitation(
        invitation_id=new_id(),
        seller_id=seller_id,
        email=email,
        role=role,
        invited_by=principal.subject,
        invited_at=tx.now,
        expires_at=tx.now + INVITATION_LIFETIME,
    )
    saved = await store.save_invitation(tx, invitation, token_digest(token), MAX_OPEN_INVITATIONS)
    if saved is None:
        raise TooManyInvitations(MAX_OPEN_INVITATIONS)
    profile = await store.find_profile(tx.sql, seller_id) or {}
    link = f"{site}/staff_invitation?token={token}"
    mail = asdict(staff_invitation(email, profile.get("name") or seller_id, role, link))
    sent = {"mail_id": invitation.invitation_id, "kind": "staff_invitation", **mail}
    if (await peers.ask(USERS, "/v1/mails", sent))["outcome"] == "limited":
        raise TooManyMails
    return saved


async def withdraw(tx: Transaction, seller_id: str, principal: Principal, invitation_id: str) -> None:
    """Withdraw an open invitation: its link ends.

    Raises:
        UnknownSeller, UnknownInvitation: there is no such seller, or it has no such invitation.
        NotAStaffManager, OnlyOwners: the principal could not send this invitation.
    """
    staff = await lock_staff(tx, seller_id, principal)
    found = await store.find_invitations(tx.sql, seller_id, tx.now)
    role = next((each["role"] for each in found if each["invitation_id"] == invitation_id), None)
    check_staff_change(find_actor(principal, staff), staff, None, role or "fulfilment")
    if role is None:
        raise UnknownInvitation(seller_id, invitation_id)
    await store.delete_invitation(tx, invitation_id)


async def find_open(transactions: Transactions, makers: Makers, token: str, user_id: str) -> Invitation:
    """Return the open invitation with a token, for the person who was invited.

    It asks users, so no transaction is open meanwhile.

    Raises:
        InvitationEnded: it is not open, the seller is suspended, or its sender may not send it any more.
        NotTheInvitedPerson: the verified address of the person is another one.
        ServiceNotReady: users does not answer.
    """
    async with transactions.connection() as sql:
        invitation = await store.find_invitation(sql, token_digest(token), transactions.clock())
    if invitation is None or not await _may_still_invite(makers, invitation):
        raise InvitationEnded
    found = await makers.peers.find(USERS, "/v1/people/lookups", {"email": invitation.email})
    if found is None or found["user_id"] != user_id:
        raise NotTheInvitedPerson
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
        InvitationEnded: it has ended meanwhile.
        TooManySellers: the person works for as many sellers as a person may.
    """
    found = await store.find_invitation(tx.sql, token_digest(token), tx.now)
    if found is None:
        raise InvitationEnded
    await store.lock_seller(tx, found.seller_id)
    invitation = await store.find_invitation(tx.sql, token_digest(token), tx.now)
    if invitation is None:  # it has ended before the lock
        raise InvitationEnded
    await store.delete_invitation(tx, invitation.invitation_id)
    staff = await store.find_roles(tx, found.seller_id)
    if user_id in staff:
        return Membership(found.seller_id, staff[user_id])
    hint = masked_email(invitation.email)
    await join_staff(tx, found.seller_id, user_id, invitation.role, invitation.invited_by, hint)
    return Membership(found.seller_id, invitation.role)
