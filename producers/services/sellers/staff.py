"""Changes the staff of a seller. The roles in the database decide, not those of the sender's token.

Users, which says in access tokens who works for whom, is told each change by a request. The endpoints wait
for its answer (`wait_until_answered`). If users does not answer so soon, the change is made all the same, and
applies to access tokens once users answers. Until then a new member has no access, and one who was removed
has the old role. Who may change the staff is decided by this service's table, at once.
"""

from collections.abc import Mapping

from common.principal import Principal, StaffRole
from common.request_path import in_path
from producers.kit.makers import USERS
from producers.kit.outbox.transaction import Transaction
from producers.services.sellers import store
from producers.services.sellers.model import (
    APPROVED_ONCE,
    STAFF_MANAGERS,
    StaffActor,
    check_memberships,
    check_staff_change,
    roles_to_give,
)
from producers.services.sellers.problems import UnknownSeller, UnknownStaff


async def join_staff(
    tx: Transaction,
    seller_id: str,
    user_id: str,
    role: StaffRole,
    added_by: str | None,
    email_hint: str | None = None,
) -> None:
    """Make a person a member of the staff of a locked seller. It applies at once: their access tokens end.

    Raises:
        TooManySellers: the person works for as many sellers as a person may.
    """
    await store.lock_memberships(tx, user_id)
    check_memberships({*await store.find_memberships(tx, user_id), seller_id})
    await store.save_staff(tx, seller_id, user_id, role, added_by, email_hint)
    _tell_users(tx, seller_id, user_id, role)


async def change_role(
    tx: Transaction, seller_id: str, principal: Principal, user_id: str, to: StaffRole | None
) -> None:
    """Give a member of the staff another role, or remove them if `to` is None.

    The API keys of somebody who may not make keys any more are revoked, and their open invitations to roles
    that they may not give any more are withdrawn.

    Raises:
        UnknownSeller, UnknownStaff: there is no such seller, or the person does not work for it.
        NotAStaffManager, OnlyOwners, LastOwner: the principal may not do this.
    """
    staff = await lock_staff(tx, seller_id, principal)
    check_staff_change(find_actor(principal, staff), staff, user_id, to)
    if user_id not in staff:
        raise UnknownStaff(seller_id, user_id)
    if staff[user_id] == to:
        return
    _tell_users(tx, seller_id, user_id, to)
    if to is None:
        await store.remove_staff(tx, seller_id, user_id, principal.subject)
    else:
        await store.save_staff(tx, seller_id, user_id, to, principal.subject)
    if to not in STAFF_MANAGERS:
        await store.revoke_keys_of_maker(tx.sql, seller_id, user_id, tx.now, principal.subject, tx.now)
    await store.withdraw_invitations_of_sender(tx, seller_id, user_id, roles_to_give(to))


def _tell_users(tx: Transaction, seller_id: str, user_id: str, role: StaffRole | None) -> None:
    """Tell users the role that a person has at a locked seller now; None if they were removed."""
    tx.request(USERS, f"/v1/people/{user_id}/sellers/{in_path(seller_id)}", {"role": role}, "PUT")


async def lock_managed_seller(tx: Transaction, seller_id: str, principal: Principal) -> None:
    """Lock a seller that this principal may manage; the policy of the route has checked its role.

    Raises:
        UnknownSeller: there is no such seller that was approved, or it is suspended and the principal is none
            of the operators.
    """
    status = await store.lock_seller(tx, seller_id)
    if status not in (APPROVED_ONCE if is_operator(principal) else {"approved"}):
        raise UnknownSeller(seller_id)


async def lock_staff(tx: Transaction, seller_id: str, principal: Principal) -> dict[str, StaffRole]:
    """Lock a seller as `lock_managed_seller` does; return user id → role of its staff."""
    await lock_managed_seller(tx, seller_id, principal)
    return await store.find_roles(tx, seller_id)


def find_actor(principal: Principal, staff: Mapping[str, StaffRole]) -> StaffActor:
    """Return who changes the staff. The role is the one in the database."""
    return StaffActor(principal.subject, staff.get(principal.subject), is_operator(principal))


def is_operator(principal: Principal) -> bool:
    """Return whether a principal may change the staff of every seller."""
    return bool(principal.roles & {"admin", "platform"})
