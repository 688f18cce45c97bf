"""Reads and writes the tables of sellers; each statement is a file in `queries/`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.principal import StaffRole
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.services.sellers.commission import CommissionRule
from producers.services.sellers.costs import Cost, ProductCosts, SavedCost, by_product
from producers.services.sellers.model import ApplicationStatus, SellerStatus
from producers.services.sellers.schemas import OpenInvitationResponse
from schemas.codec import Record

SQL = load_queries(__file__)

PRUNE_INVITATIONS = SQL["prune_invitations"]
"""A DELETE for `producers.kit.postgres.pruning.prune`."""


@dataclass(frozen=True, slots=True)
class Application:
    """An application whose seller is locked."""

    seller_id: str
    applicant_id: str | None
    status: ApplicationStatus
    seller_status: SellerStatus


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key to store."""

    key_id: str
    name: str
    digest: bytes
    hint: str
    scopes: Sequence[str]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ValidKey:
    """An API key that may be used now, if its maker may still make it."""

    key_id: str
    seller_id: str
    scopes: list[str]
    expires_at: datetime | None
    created_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation to the staff of a seller."""

    invitation_id: str
    seller_id: str
    email: str
    role: StaffRole
    invited_by: str | None
    invited_at: datetime
    expires_at: datetime
    seller_name: str | None = None


@dataclass(frozen=True, slots=True)
class NewRule:
    """A commission rule to add."""

    rule_id: str
    seller_id: str | None
    category: str | None
    rate_bp: int
    minimum_minor: int | None
    maximum_minor: int | None
    currency: str | None
    valid_from: datetime
    reason: str
    author: str


async def apply(
    tx: Transaction, application_id: str, seller_id: str, applicant_id: str, profile: Mapping[str, Any]
) -> bool:
    """Open an application and its seller; return False if the person has an open application."""
    opened = await tx.sql.fetchval(SQL["apply"], application_id, seller_id, applicant_id, tx.now, profile)
    return opened is not None


async def find_applications(
    sql: Any, limit: int, applicant_id: str | None = None, status: str | None = None, after: str | None = None
) -> list[dict[str, Any]]:
    """Return applications as the API shows them, oldest first."""
    rows = await sql.fetch(SQL["find_applications"], applicant_id, status, after, limit)
    return [dict(row) for row in rows]


async def find_application(sql: Any, application_id: str) -> dict[str, Any]:
    """Return an application that exists, as the API shows it."""
    return dict(await sql.fetchrow(SQL["find_application"], application_id))


async def lock_application(tx: Transaction, application_id: str) -> Application | None:
    """Lock the seller of an application; return None if there is no such application."""
    row = await tx.sql.fetchrow(SQL["lock_application"], application_id)
    return None if row is None else Application(*row)


async def decide_application(
    tx: Transaction, application_id: str, to: ApplicationStatus, decided_by: str, reason: str | None = None
) -> None:
    """Record the decision about an application."""
    await tx.sql.execute(SQL["decide_application"], application_id, to, tx.now, decided_by, reason)


async def lock_seller(tx: Transaction, seller_id: str) -> SellerStatus | None:
    """Lock a seller and return its status; None if there is no such seller."""
    status: SellerStatus | None = await tx.sql.fetchval(SQL["lock_seller"], seller_id)
    return status


async def set_seller_status(
    tx: Transaction, seller_id: str, to: SellerStatus, changed_by: str, reason: str | None = None
) -> None:
    """Set the status of a locked seller and record the step."""
    await tx.sql.execute(SQL["set_seller_status"], seller_id, to, tx.now, reason, changed_by)


async def find_profile(sql: Any, seller_id: str) -> dict[str, Any] | None:
    """Return a seller as the API shows it; None if there is no such seller."""
    row = await sql.fetchrow(SQL["find_profile"], seller_id)
    return None if row is None else dict(row)


async def change_profile(tx: Transaction, seller_id: str, changes: Mapping[str, Any]) -> None:
    """Set these fields of a profile, if there is such a seller."""
    await tx.sql.execute(SQL["change_profile"], seller_id, changes, tx.now)


async def save_registration(tx: Transaction, event: Record) -> bool:
    """Save a seller of another system, unless this service has decided about it or knows a newer event.

    Returns whether the seller is new.
    """
    is_new: bool | None = await tx.sql.fetchval(
        SQL["save_registration"],
        event["seller_id"],
        event["name"],
        event["zip_prefix"],
        event["city"],
        event["state"],
        event["country"],
        event["occurred_at"],
    )
    return bool(is_new)


async def save_agreed_rate(tx: Transaction, event: Record) -> CommissionRule | None:
    """Save the rate of a `seller_approved`; return None if this service knows of the seller's commission."""
    row = await tx.sql.fetchrow(
        SQL["save_agreed_rate"],
        event["event_id"],
        event["seller_id"],
        event["commission_bp"],
        event["occurred_at"],
        tx.now,
    )
    return None if row is None else _rule(row)


async def find_staff(sql: Any, seller_id: str) -> list[dict[str, Any]]:
    """Return the staff of a seller as the API shows it."""
    return [dict(row) for row in await sql.fetch(SQL["find_staff"], seller_id)]


async def find_roles(tx: Transaction, seller_id: str) -> dict[str, StaffRole]:
    """Return user id → role of the staff of a locked seller."""
    return {row["user_id"]: row["role"] for row in await tx.sql.fetch(SQL["find_staff"], seller_id)}


async def save_staff(
    tx: Transaction,
    seller_id: str,
    user_id: str,
    role: StaffRole,
    changed_by: str | None,
    email_hint: str | None = None,
) -> None:
    """Give a person a role at a locked seller, and record the change."""
    await tx.sql.execute(SQL["save_staff"], seller_id, user_id, role, email_hint, tx.now, changed_by)


async def remove_staff(tx: Transaction, seller_id: str, user_id: str, changed_by: str) -> None:
    """Remove a person from the staff of a locked seller, and record the change."""
    await tx.sql.execute(SQL["remove_staff"], seller_id, user_id, tx.now, changed_by)


async def revoke_keys_of_maker(
    sql: Any, seller_id: str, user_id: str | None, now: datetime, revoked_by: str | None, until: datetime
) -> None:
    """Revoke the keys of a seller that a person made up to `until`. `revoked_by` is None if nobody did it."""
    await sql.execute(SQL["revoke_keys_of_maker"], seller_id, user_id, now, revoked_by, until)


async def lock_memberships(tx: Transaction, user_id: str) -> None:
    """Let no other transaction make a person a member of a staff until this one has ended."""
    await tx.sql.execute(SQL["lock_memberships"], user_id)


async def find_memberships(tx: Transaction, user_id: str) -> list[str]:
    """Return the sellers on whose staff a person is, suspended ones too."""
    return [row["seller_id"] for row in await tx.sql.fetch(SQL["find_memberships"], user_id)]


async def find_suspended(sql: Any) -> list[str]:
    """Return the ids of all suspended sellers."""
    return [row["seller_id"] for row in await sql.fetch(SQL["find_suspended"])]


async def save_invitation(
    tx: Transaction, invitation: Invitation, token_sha256: bytes, limit: int
) -> OpenInvitationResponse | None:
    """Save an invitation of a locked seller and return it; None if `limit` others are open already."""
    row = await tx.sql.fetchrow(
        SQL["save_invitation"],
        invitation.invitation_id,
        invitation.seller_id,
        invitation.email,
        invitation.role,
        token_sha256,
        tx.now,
        invitation.invited_by,
        invitation.expires_at,
        limit,
    )
    return None if row is None else OpenInvitationResponse(**dict(row))  # type: ignore[typeddict-item]


async def find_invitations(sql: Any, seller_id: str, now: datetime) -> list[OpenInvitationResponse]:
    """Return the open invitations of a seller as the API shows them, oldest first."""
    rows = await sql.fetch(SQL["find_invitations"], seller_id, now)
    return [OpenInvitationResponse(**dict(row)) for row in rows]  # type: ignore[typeddict-item]


async def find_invitation(sql: Any, token_sha256: bytes, now: datetime) -> Invitation | None:
    """Return the open invitation of a token; None if it has ended or its seller is suspended."""
    row = await sql.fetchrow(SQL["find_invitation"], token_sha256, now)
    return None if row is None else Invitation(**dict(row))


async def delete_invitation(tx: Transaction, invitation_id: str) -> None:
    """Delete an invitation, which has ended."""
    await tx.sql.execute(SQL["delete_invitation"], invitation_id)


async def withdraw_invitations_of_sender(
    tx: Transaction, seller_id: str, user_id: str, still: Collection[StaffRole]
) -> None:
    """Delete the invitations that a person sent for a seller, except those to the roles in `still`."""
    await tx.sql.execute(SQL["withdraw_invitations_of_sender"], seller_id, user_id, sorted(still))


async def forget_person(tx: Transaction, user_id: str, email: str) -> None:
    """Delete what there is of a person and their e-mail address. A repetition changes nothing."""
    await tx.sql.execute("SELECT forget_user($1::uuid, $2::text)", user_id, email)


async def find_keys(sql: Any, seller_id: str) -> list[dict[str, Any]]:
    """Return the API keys of a seller as the API shows them, newest first."""
    return [dict(row) for row in await sql.fetch(SQL["find_keys"], seller_id)]


async def create_key(
    tx: Transaction, seller_id: str, key: NewKey, created_by: str, limit: int
) -> dict[str, Any] | None:
    """Store a key of a locked seller and return its row; None if it has `limit` valid keys already."""
    row = await tx.sql.fetchrow(
        SQL["create_key"],
        key.key_id,
        seller_id,
        key.name,
        key.digest,
        key.hint,
        list(key.scopes),
        tx.now,
        created_by,
        key.expires_at,
        limit,
    )
    return None if row is None else dict(row)


async def revoke_key(tx: Transaction, seller_id: str, key_id: str, revoked_by: str) -> bool:
    """Revoke a key; return False if the seller has no such key."""
    return bool(await tx.sql.fetchval(SQL["revoke_key"], seller_id, key_id, tx.now, revoked_by))


async def verify_key(sql: Any, digest: bytes, now: datetime) -> ValidKey | None:
    """Return the key with this digest if it is valid, and note its use at most once a minute."""
    row = await sql.fetchrow(SQL["verify_key"], digest, now)
    return None if row is None else ValidKey(*row)


async def find_rules(
    sql: Any, limit: int, seller_id: str | None, category: str | None, before: int | None
) -> list[CommissionRule]:
    """Return commission rules, newest first."""
    rows = await sql.fetch(SQL["find_rules"], seller_id, category, before, limit)
    return [_rule(row) for row in rows]


async def find_rules_of_seller(sql: Any, seller_id: str) -> list[CommissionRule]:
    """Return the rules that may apply to lines of a seller."""
    return [_rule(row) for row in await sql.fetch(SQL["find_rules_of_seller"], seller_id)]


async def add_rule(tx: Transaction, rule: NewRule) -> CommissionRule | None:
    """Add a commission rule; return None if there is no such seller."""
    row = await tx.sql.fetchrow(
        SQL["add_rule"],
        rule.rule_id,
        rule.seller_id,
        rule.category,
        rule.rate_bp,
        rule.minimum_minor,
        rule.maximum_minor,
        rule.currency,
        rule.valid_from,
        rule.reason,
        rule.author,
        tx.now,
    )
    return None if row is None else _rule(row)


async def find_costs(sql: Any, seller_id: str, after: str, limit: int, currency: str) -> list[ProductCosts]:
    """Return at most `limit` products of a seller after a product id, with their costs in a currency."""
    rows = await sql.fetch(SQL["find_costs"], seller_id, after, limit, currency)
    return by_product(tuple(row) for row in rows)


async def find_unlisted(tx: Transaction, seller_id: str, costs: Sequence[Cost]) -> set[str]:
    """Return the products that the seller has never listed."""
    rows = await tx.sql.fetch(SQL["find_unlisted"], seller_id, _products(costs))
    return {row["product_id"] for row in rows}


async def save_costs(
    tx: Transaction, seller_id: str, costs: Sequence[Cost], currency: str
) -> list[SavedCost]:
    """Save costs of a locked seller; return those that have changed."""
    rows = await tx.sql.fetch(
        SQL["save_costs"],
        seller_id,
        [cost.product_id for cost in costs],
        [cost.valid_from for cost in costs],
        [cost.unit_cost_minor for cost in costs],
        currency,
        tx.now,
    )
    return [SavedCost(*row) for row in rows]


async def find_overfull_products(
    tx: Transaction, seller_id: str, costs: Sequence[Cost], limit: int
) -> set[str]:
    """Return the products that have more than `limit` costs now."""
    rows = await tx.sql.fetch(SQL["find_overfull_products"], seller_id, _products(costs), limit)
    return {row["product_id"] for row in rows}


def _products(costs: Sequence[Cost]) -> list[str]:
    return sorted({cost.product_id for cost in costs})


def _rule(row: Mapping[str, Any]) -> CommissionRule:
    return CommissionRule(*row.values())
