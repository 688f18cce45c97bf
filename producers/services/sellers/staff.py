"""The staff of a seller, and who may change it.

The roles in the database decide, not those of the sender's token.

Users, which says in access tokens who works for whom, is told each change by a request. The endpoints wait
for its answer (`wait_until_answered`). If users does not answer so soon, the change is made all the same, and
applies to access tokens once users answers. Until then a new member has no access, and one who was removed
has the old role. Who may change the staff is decided by this service's table, at once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Uuid
from common.openapi import openapi_problem
from common.principal import Principal, StaffRole
from common.request_path import in_path
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.makers import USERS
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.kit.requests.sender import wait_until_answered
from producers.services.sellers import store
from producers.services.sellers.model import (
    APPROVED_ONCE,
    KEEPERS,
    SELLER,
    STAFF_MANAGERS,
    StaffActor,
    check_memberships,
    check_staff_change,
    roles_to_give,
)
from producers.services.sellers.problems import UNKNOWN_SELLER, UNKNOWN_STAFF
from producers.services.sellers.schemas import (
    NAME,
    OpenInvitationResponse,
    RoleRequest,
    StaffListResponse,
    StaffResponse,
)

KEEPS_AN_OWNER = openapi_problem(409, "A seller keeps at least one owner.")

UserId = Annotated[Uuid, Path(description="The id of a person of the staff.")]

router = APIRouter(prefix="/v1", tags=["selling"], route_class=PublicRoute)


@router.get("/sellers/{seller_id}/staff", summary="The staff of a seller", response_model=StaffListResponse)
@policy(
    allow(
        "seller", "admin", traffic="read", staff=STAFF_MANAGERS, seller_parameter=SELLER, scope="staff:read"
    )
)
async def staff(request: Request, seller_id: SellerPath) -> Response:
    """Return who works for a seller, in which role, and the invitations that were not answered yet."""
    sellers = transactions(request, NAME)
    async with sellers.connection() as sql:
        staff = await find_staff(sql, seller_id)
        invitations = await find_invitations(sql, seller_id, sellers.clock())
    return json_response({"staff": staff, "invitations": invitations})


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
    return await staff(request, seller_id)


@router.delete(
    "/sellers/{seller_id}/staff/{user_id}",
    summary="Remove a person from the staff",
    status_code=204,
    responses=KEEPS_AN_OWNER,
)
@policy(allow("seller", "admin", traffic="write", seller_parameter=SELLER))
async def remove_staff(request: Request, seller_id: SellerPath, user_id: UserId) -> None:
    """Remove a person from the staff. Everybody may leave, except the last owner."""
    async with transaction(request, NAME, seller_id) as tx:
        await change_role(tx, seller_id, principal_of(request), user_id, None)
    await wait_until_answered(transactions(request, NAME), tx)


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
        TOO_MANY_SELLERS: the person works for as many sellers as a person may.
    """
    await _lock_memberships(tx, user_id)
    check_memberships({*await _find_memberships(tx, user_id), seller_id})
    await _save_staff(tx, seller_id, user_id, role, added_by, email_hint)
    _tell_users(tx, seller_id, user_id, role)


async def change_role(
    tx: Transaction, seller_id: str, principal: Principal, user_id: str, to: StaffRole | None
) -> None:
    """Give a member of the staff another role, or remove them if `to` is None.

    The API keys of somebody who may not make keys any more are revoked, and their open invitations to roles
    that they may not give any more are withdrawn.

    Raises:
        UNKNOWN_SELLER, UNKNOWN_STAFF: there is no such seller, or the person does not work for it.
        NOT_A_STAFF_MANAGER, ONLY_OWNERS, LAST_OWNER: the principal may not do this.
    """
    staff = await lock_staff(tx, seller_id, principal)
    check_staff_change(find_actor(principal, staff), staff, user_id, to)
    if user_id not in staff:
        raise UNKNOWN_STAFF(seller_id=seller_id, user_id=user_id)
    if staff[user_id] == to:
        return
    _tell_users(tx, seller_id, user_id, to)
    if to is None:
        await _remove_staff(tx, seller_id, user_id, principal.subject)
    else:
        await _save_staff(tx, seller_id, user_id, to, principal.subject)
    if to not in STAFF_MANAGERS:
        await revoke_keys_of_maker(tx.sql, seller_id, user_id, tx.now, principal.subject, tx.now)
    await _withdraw_invitations_of_sender(tx, seller_id, user_id, sorted(roles_to_give(to)))


def _tell_users(tx: Transaction, seller_id: str, user_id: str, role: StaffRole | None) -> None:
    """Tell users the role that a person has at a locked seller now; None if they were removed."""
    tx.request(USERS, f"/v1/people/{user_id}/sellers/{in_path(seller_id)}", {"role": role}, "PUT")


async def lock_managed_seller(tx: Transaction, seller_id: str, principal: Principal) -> None:
    """Lock a seller that this principal may manage; the policy of the route has checked its role.

    Raises:
        UNKNOWN_SELLER: there is no such seller that was approved, or it is suspended and the principal is
            none of the operators.
    """
    status = await store.lock_seller(tx, seller_id)
    if status not in (APPROVED_ONCE if is_operator(principal) else {"approved"}):
        raise UNKNOWN_SELLER(seller_id=seller_id)


async def lock_staff(tx: Transaction, seller_id: str, principal: Principal) -> dict[str, StaffRole]:
    """Lock a seller as `lock_managed_seller` does; return user id → role of its staff."""
    await lock_managed_seller(tx, seller_id, principal)
    return await find_roles(tx, seller_id)


def find_actor(principal: Principal, staff: Mapping[str, StaffRole]) -> StaffActor:
    """Return who changes the staff. The role is the one in the database."""
    return StaffActor(principal.subject, staff.get(principal.subject), is_operator(principal))


def is_operator(principal: Principal) -> bool:
    """Return whether a principal may change the staff of every seller."""
    return bool(principal.roles & {"admin", "platform"})


@statement("""
    SELECT invitation_id, email, role, expires_at
    FROM staff_invitations
    WHERE seller_id = $seller_id::text AND expires_at > $now::timestamptz
    ORDER BY invited_at, invitation_id
""")
async def find_invitations(sql: Any, seller_id: str, now: datetime) -> list[OpenInvitationResponse]:
    """Return the open invitations of a seller, oldest first."""


@statement("""
    SELECT user_id, role, email_hint, added_at, added_by FROM staff
        WHERE seller_id = $seller_id::text ORDER BY added_at, user_id
""")
async def find_staff(sql: Any, seller_id: str) -> list[StaffResponse]:
    """Return the staff of a seller."""


async def find_roles(tx: Transaction, seller_id: str) -> dict[str, StaffRole]:
    """Return user id → role of the staff of a locked seller."""
    return {member["user_id"]: member["role"] for member in await find_staff(tx.sql, seller_id)}


@statement("""
    WITH saved AS (
        INSERT INTO staff (seller_id, user_id, role, email_hint, added_at, added_by)
        VALUES ($seller_id::text, $user_id::uuid, $role::text, $email_hint::text, $tx.now::timestamptz,
            $changed_by::text)
        ON CONFLICT (seller_id, user_id) DO UPDATE SET role = excluded.role
    )
    INSERT INTO staff_changes (seller_id, user_id, role, changed_at, changed_by)
    VALUES ($seller_id::text, $user_id::uuid, $role::text, $tx.now::timestamptz, $changed_by::text)
""")
async def _save_staff(
    tx: Transaction,
    seller_id: str,
    user_id: str,
    role: StaffRole,
    changed_by: str | None,
    email_hint: str | None = None,
) -> None:
    """Give a person a role at a locked seller, and record the change."""


@statement("""
    WITH removed AS (
        DELETE FROM staff WHERE seller_id = $seller_id::text AND user_id = $user_id::uuid
    )
    INSERT INTO staff_changes (seller_id, user_id, role, changed_at, changed_by)
    VALUES ($seller_id::text, $user_id::uuid, NULL, $tx.now::timestamptz, $changed_by::text)
""")
async def _remove_staff(tx: Transaction, seller_id: str, user_id: str, changed_by: str) -> None:
    """Remove a person from the staff of a locked seller, and record the change."""


@statement("""
    UPDATE api_keys
    SET revoked_at = $now::timestamptz, revoked_by = $revoked_by::text
    WHERE seller_id = $seller_id::text AND created_by IS NOT DISTINCT FROM $user_id::text
        AND created_at <= $until::timestamptz
        AND revoked_at IS NULL
""")
async def revoke_keys_of_maker(
    sql: Any, seller_id: str, user_id: str | None, now: datetime, revoked_by: str | None, until: datetime
) -> None:
    """Revoke the keys of a seller that a person made up to `until`. `revoked_by` is None if nobody did it."""


@statement("SELECT pg_advisory_xact_lock(hashtextextended('staff ' || $user_id::uuid::text, 0))")
async def _lock_memberships(tx: Transaction, user_id: str) -> None:
    """Let no other transaction make a person a member of a staff until this one has ended."""


@statement("SELECT seller_id FROM staff WHERE user_id = $user_id::uuid ORDER BY seller_id")
async def _find_memberships(tx: Transaction, user_id: str) -> list[str]:
    """Return the sellers on whose staff a person is, suspended ones too."""


@statement("""
    DELETE FROM staff_invitations WHERE seller_id = $seller_id::text AND invited_by = $user_id::text
        AND role <> ALL ($still::text[])
""")
async def _withdraw_invitations_of_sender(
    tx: Transaction, seller_id: str, user_id: str, still: Sequence[StaffRole]
) -> None:
    """Delete the invitations that a person sent for a seller, except those to the roles in `still`."""
