"""The rules of sellers, without a database: the allowed status changes, and who may change the staff."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from common.principal import StaffRole
from producers.sellers.problems import LastOwner, NotAStaffManager, OnlyOwners, WrongStatus

SellerStatus = Literal["applied", "approved", "refused", "suspended"]
ApplicationStatus = Literal["applied", "approved", "refused"]

PREDECESSORS: Mapping[SellerStatus, frozenset[SellerStatus]] = {
    "applied": frozenset(),
    "approved": frozenset({"applied", "suspended"}),
    "refused": frozenset({"applied"}),
    "suspended": frozenset({"approved"}),
}

APPROVED_ONCE: frozenset[SellerStatus] = frozenset({"approved", "suspended"})
"""The statuses of sellers that were approved. Only these have staff and API keys."""

STAFF_MANAGERS: frozenset[StaffRole] = frozenset({"owner", "manager"})
"""Who may change the staff of a seller, its profile and its API keys."""


def can_become(status: SellerStatus, to: SellerStatus) -> bool:
    """Return whether a seller may change from `status` to `to`."""
    return status in PREDECESSORS[to]


def check_becomes(seller_id: str, status: SellerStatus, to: SellerStatus) -> None:
    """Check that a seller may change from `status` to `to`.

    Raises:
        WrongStatus: it may not.
    """
    if not can_become(status, to):
        raise WrongStatus(seller_id, status, to)


@dataclass(frozen=True, slots=True)
class StaffActor:
    """Who changes the staff: a person with their role at the seller, or an operator of the marketplace."""

    user_id: str | None
    role: StaffRole | None
    is_operator: bool = False
    """Whether it is an administrator or a process of the platform, which need no role at the seller."""


def check_staff_change(
    actor: StaffActor, staff: Mapping[str, StaffRole], user_id: str | None, to: StaffRole | None
) -> None:
    """Check a change of a seller's staff (user id → role) before it is made.

    `user_id` gets the role `to`, or leaves if `to` is None. It is None for a person who is not known yet.
    Owners and managers may change the staff, but only an owner makes or removes owners. Everybody may leave.
    An operator may do all of this. A seller that has an owner keeps at least one.

    Raises:
        NotAStaffManager: the actor may not change the staff.
        OnlyOwners: the change makes or removes an owner, and the actor is none.
        LastOwner: no owner would be left.
    """
    before = None if user_id is None else staff.get(user_id)
    leaves = to is None and user_id is not None and user_id == actor.user_id
    if not (actor.is_operator or leaves or actor.role in STAFF_MANAGERS):
        raise NotAStaffManager
    concerns_owner = "owner" in (before, to) and before != to
    if concerns_owner and not (actor.is_operator or actor.role == "owner"):
        raise OnlyOwners
    if before == "owner" and to != "owner" and _owners(staff.values()) == 1:
        raise LastOwner


def _owners(roles: Collection[StaffRole]) -> int:
    return sum(role == "owner" for role in roles)


def masked_email(email: str) -> str:
    """Return an e-mail address that its owner recognises and that others can't use: `a…@example.com`."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}…@{domain}"
