"""Changes the staff of a seller. The roles in the database decide, not those of the sender's token."""

from common.principal import Principal, StaffRole
from producers.outbox.transaction import Transaction
from producers.sellers import store
from producers.sellers.model import (
    APPROVED_ONCE,
    STAFF_MANAGERS,
    StaffActor,
    check_staff_change,
    masked_email,
)
from producers.sellers.problems import UnknownSeller, UnknownStaff


async def add_to_staff(
    tx: Transaction, seller_id: str, principal: Principal, email: str, role: StaffRole
) -> None:
    """Give the person with an e-mail address a role at a seller.

    Nothing tells the caller whether the address has an account. A member of the staff keeps their role.

    Raises:
        UnknownSeller: there is no such seller that was approved.
        NotAStaffManager, OnlyOwners: the principal may not do this.
        AccountsUnavailable: users is still starting.
    """
    staff = await _lock_staff(tx, seller_id, principal)
    check_staff_change(_actor(principal, staff), staff, None, role)
    user_id = await store.find_user(tx, email)
    if user_id is None or user_id in staff:
        await store.record_attempt(tx, seller_id, role, principal.subject)
        return
    await store.save_staff(tx, seller_id, user_id, role, principal.subject, masked_email(email))
    await store.end_access(tx, [user_id])


async def change_role(
    tx: Transaction, seller_id: str, principal: Principal, user_id: str, to: StaffRole | None
) -> None:
    """Give a member of the staff another role, or remove them if `to` is None.

    The API keys of somebody who may not make keys any more are revoked.

    Raises:
        UnknownSeller, UnknownStaff: there is no such seller, or the person does not work for it.
        NotAStaffManager, OnlyOwners, LastOwner: the principal may not do this.
        AccountsUnavailable: users is still starting.
    """
    staff = await _lock_staff(tx, seller_id, principal)
    check_staff_change(_actor(principal, staff), staff, user_id, to)
    if user_id not in staff:
        raise UnknownStaff(seller_id, user_id)
    if staff[user_id] == to:
        return
    # First, because it locks the account, as suspensions and erasures do before they change keys and staff.
    await store.end_access(tx, [user_id])
    if to is None:
        await store.remove_staff(tx, seller_id, user_id, principal.subject)
    else:
        await store.save_staff(tx, seller_id, user_id, to, principal.subject)
    if to not in STAFF_MANAGERS:
        await store.revoke_keys_of_maker(tx, seller_id, user_id, principal.subject)


async def lock_managed_seller(tx: Transaction, seller_id: str, principal: Principal) -> None:
    """Lock a seller that this principal may manage; the policy of the route has checked its role.

    Raises:
        UnknownSeller: there is no such seller that was approved, or it is suspended and the principal is none
            of the operators.
    """
    status = await store.lock_seller(tx, seller_id)
    if status not in (APPROVED_ONCE if _is_operator(principal) else {"approved"}):
        raise UnknownSeller(seller_id)


async def _lock_staff(tx: Transaction, seller_id: str, principal: Principal) -> dict[str, StaffRole]:
    await lock_managed_seller(tx, seller_id, principal)
    return await store.find_roles(tx, seller_id)


def _actor(principal: Principal, staff: dict[str, StaffRole]) -> StaffActor:
    return StaffActor(principal.subject, staff.get(principal.subject), _is_operator(principal))


def _is_operator(principal: Principal) -> bool:
    return bool(principal.roles & {"admin", "platform"})
