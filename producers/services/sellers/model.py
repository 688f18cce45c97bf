"""The rules of sellers, without a database: the allowed status changes, who may change the staff, policies.

Staff reach the endpoints of their own seller only; administrators reach those of all.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, get_args

from common.access_policy import allow
from common.principal import Role, StaffRole
from producers.services.sellers.problems import (
    LAST_OWNER,
    NOT_A_STAFF_MANAGER,
    ONLY_OWNERS,
    TOO_MANY_SELLERS,
    WRONG_STATUS,
)

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

SELLER = "seller_id"
"""The path parameter that names the seller."""

_PEOPLE: tuple[Role, ...] = ("shopper", "seller", "analyst", "admin")
READ_OWN = allow(*_PEOPLE, traffic="read")
WRITE_OWN = allow(*_PEOPLE, traffic="write")
"""Of a person themselves, such as their applications."""

ADMIN_READ = allow("admin", traffic="read")
ADMIN_WRITE = allow("admin", traffic="write")

KEEPERS = allow("seller", "admin", traffic="write", staff=STAFF_MANAGERS, seller_parameter=SELLER)
KEY_MAKERS = replace(KEEPERS, secret_response=True)
INVITERS = allow(
    "seller", "admin", "platform", traffic="write", staff=STAFF_MANAGERS, seller_parameter=SELLER
)

INVITATION_LIFETIME = timedelta(days=7)

MAX_OPEN_INVITATIONS = 50
"""Open invitations that a seller may have."""

MAX_SELLERS = 20
"""Sellers for which a person may work. An access token names all of them, and must fit a cookie."""

MAX_SELLER_ID_CHARS = 1_320
"""Characters that the ids of these sellers may have together in JSON: 66 each for 20 sellers."""


def can_become(status: SellerStatus, to: SellerStatus) -> bool:
    """Return whether a seller may change from `status` to `to`."""
    return status in PREDECESSORS[to]


def check_becomes(seller_id: str, status: SellerStatus, to: SellerStatus) -> None:
    """Check that a seller may change from `status` to `to`.

    Raises:
        WRONG_STATUS: it may not.
    """
    if not can_become(status, to):
        raise WRONG_STATUS(seller_id=seller_id, status=status, to=to)


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
        NOT_A_STAFF_MANAGER: the actor may not change the staff.
        ONLY_OWNERS: the change makes or removes an owner, and the actor is none.
        LAST_OWNER: no owner would be left.
    """
    before = None if user_id is None else staff.get(user_id)
    leaves = to is None and user_id is not None and user_id == actor.user_id
    if not (actor.is_operator or leaves or actor.role in STAFF_MANAGERS):
        raise NOT_A_STAFF_MANAGER()
    concerns_owner = "owner" in (before, to) and before != to
    if concerns_owner and not (actor.is_operator or actor.role == "owner"):
        raise ONLY_OWNERS()
    if before == "owner" and to != "owner" and list(staff.values()).count("owner") == 1:
        raise LAST_OWNER()


def roles_to_give(role: StaffRole | None) -> frozenset[StaffRole]:
    """Return the roles to which a person with this role may invite others."""
    if role == "owner":
        return frozenset(get_args(StaffRole))
    return frozenset(get_args(StaffRole)) - {"owner"} if role in STAFF_MANAGERS else frozenset()


def check_memberships(seller_ids: Collection[str]) -> None:
    """Check that a person may work for these sellers, all of which an access token names.

    Raises:
        TOO_MANY_SELLERS: they are too many, or their ids are too long together.
    """
    chars = sum(len(json.dumps(seller_id)) for seller_id in seller_ids)
    if len(seller_ids) > MAX_SELLERS or chars > MAX_SELLER_ID_CHARS:
        raise TOO_MANY_SELLERS(limit=MAX_SELLERS)


def masked_email(email: str) -> str:
    """Return an e-mail address that its owner recognises and that others can't use: `a…@example.com`."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}…@{domain}"
