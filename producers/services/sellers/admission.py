"""Admits, refuses and suspends sellers. Every change locks the seller first."""

from collections.abc import Mapping
from typing import Any, Literal

from common.ids import new_id
from producers.kit.outbox.transaction import Transaction
from producers.services.sellers import store
from producers.services.sellers.commission import choose_rule, emit_rule
from producers.services.sellers.model import APPROVED_ONCE, check_becomes, masked_email
from producers.services.sellers.problems import (
    APPLICATION_OPEN,
    UNKNOWN_APPLICATION,
    UNKNOWN_SELLER,
    WRONG_STATUS,
)
from producers.services.sellers.schemas import ApplicationRequest, ProfileResponse, RuleRequest
from producers.services.sellers.staff import join_staff
from producers.services.sellers.store import Application

_REGISTERED = ("name", "zip_prefix", "city", "state", "country")

PUBLIC_FIELDS = ("description", *_REGISTERED)
"""The fields of a profile that everybody may read: no e-mail address, no phone, no legal name."""


async def change_profile(tx: Transaction, seller_id: str, changes: Mapping[str, Any]) -> ProfileResponse:
    """Set fields of a profile and return all of it. If shoppers read one of them, everybody hears of it.

    Raises:
        UNKNOWN_SELLER: there is no such seller.
    """
    await store.change_profile(tx, seller_id, changes)
    profile = await store.find_profile(tx.sql, seller_id)
    # A seller that is not approved has no registration yet. Its event will have the profile of that time.
    if profile.status in APPROVED_ONCE and changes.keys() & set(PUBLIC_FIELDS):
        public = {field: getattr(profile, field) for field in PUBLIC_FIELDS}
        tx.emit("seller_changed", seller_id=seller_id, **public)
    return profile


async def apply_to_sell(tx: Transaction, applicant_id: str, request: ApplicationRequest) -> str:
    """Open an application and return its id.

    Raises:
        APPLICATION_OPEN: the person has an application that is not decided yet.
    """
    application_id, seller_id = new_id(), new_id()
    if not await store.apply(tx, application_id, seller_id, applicant_id, request.model_dump()):
        raise APPLICATION_OPEN()
    return application_id


async def approve_application(
    tx: Transaction, application_id: str, decided_by: str, pseudonym: str | None, agreed_bp: int | None
) -> None:
    """Approve an application, make the applicant an owner, and emit the events of the new seller.

    A repeated approval changes nothing. `pseudonym` is the shopper id of the administrator. The event has it
    instead of their account's id, because an event can't be erased.

    Raises:
        UNKNOWN_APPLICATION, WRONG_STATUS: there is no such application, or it was refused.
        TOO_MANY_SELLERS: the applicant works for as many sellers as a person may.
    """
    application = await _lock_application(tx, application_id)
    if application.status == "approved":
        return
    seller_id = application.seller_id
    check_becomes(seller_id, application.seller_status, "approved")
    await store.set_seller_status(tx, seller_id, "approved", decided_by)
    await store.decide_application(tx, application_id, "approved", decided_by)
    profile = await store.find_profile(tx.sql, seller_id)
    if application.applicant_id is not None:
        hint = masked_email(profile.contact_email) if profile.contact_email else None
        await join_staff(tx, seller_id, application.applicant_id, "owner", decided_by, hint)
    if agreed_bp is not None:
        reason = "Agreed when the seller was approved."
        agreed = RuleRequest(seller_id=seller_id, rate_bp=agreed_bp, reason=reason)
        if added := await store.add_rule(tx, new_id(), agreed, tx.now, decided_by):
            emit_rule(tx, added)
    rule = choose_rule(await store.find_rules_of_seller(tx.sql, seller_id), seller_id, None, tx.now)
    registered = {field: getattr(profile, field) for field in _REGISTERED}
    tx.emit("seller_registered", seller_id=seller_id, **registered)
    tx.emit("seller_status_changed", seller_id=seller_id, status="approved")
    tx.emit(
        "seller_approved",
        seller_id=seller_id,
        commission_bp=rule.rate_bp if rule else 0,
        approved_by=pseudonym,
    )


async def refuse_application(tx: Transaction, application_id: str, decided_by: str, reason: str) -> None:
    """Refuse an application. A repeated refusal changes nothing.

    Raises:
        UNKNOWN_APPLICATION, WRONG_STATUS: there is no such application, or it was approved.
    """
    application = await _lock_application(tx, application_id)
    if application.status == "refused":
        return
    check_becomes(application.seller_id, application.seller_status, "refused")
    await store.set_seller_status(tx, application.seller_id, "refused", decided_by, reason)
    await store.decide_application(tx, application_id, "refused", decided_by, reason)


async def suspend_seller(tx: Transaction, seller_id: str, changed_by: str, reason: str) -> None:
    """Suspend a seller: its API keys stop, and its staff lose their access. A repetition changes nothing.

    The gateway asks which sellers are suspended. Users ends the access tokens of the staff when it reads the
    event.

    Raises:
        UNKNOWN_SELLER, WRONG_STATUS: there is no such seller, or it was never approved.
    """
    await _move(tx, seller_id, "suspended", changed_by, reason)


async def reinstate_seller(tx: Transaction, seller_id: str, changed_by: str, reason: str) -> None:
    """End the suspension of a seller. A repetition changes nothing.

    Raises:
        UNKNOWN_SELLER, WRONG_STATUS: there is no such seller, or it was never approved.
    """
    await _move(tx, seller_id, "approved", changed_by, reason)


async def _move(
    tx: Transaction, seller_id: str, to: Literal["approved", "suspended"], changed_by: str, reason: str
) -> None:
    status = await store.lock_seller(tx, seller_id)
    if status is None:
        raise UNKNOWN_SELLER(seller_id=seller_id)
    if status == to:
        return
    if status not in APPROVED_ONCE:
        raise WRONG_STATUS(seller_id=seller_id, status=status, to=to)
    check_becomes(seller_id, status, to)
    await store.set_seller_status(tx, seller_id, to, changed_by, reason)
    tx.emit("seller_status_changed", seller_id=seller_id, status=to)


async def _lock_application(tx: Transaction, application_id: str) -> Application:
    application = await store.lock_application(tx, application_id)
    if application is None:
        raise UNKNOWN_APPLICATION(application_id=application_id)
    return application
