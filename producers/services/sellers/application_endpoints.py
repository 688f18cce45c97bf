"""`/v1/seller_applications`, `/v1/sellers/{seller_id}/profile` and `/suspension`: who may sell here."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import PRINTABLE, Uuid, new_id
from common.openapi import NOT_FOUND, openapi_problem
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.makers import person_id
from producers.kit.outbox.transaction import Transaction
from producers.kit.requests.sender import wait_until_answered
from producers.services.sellers import problems, store
from producers.services.sellers.commission import choose_rule, emit_rule
from producers.services.sellers.model import (
    ADMIN_READ,
    ADMIN_WRITE,
    APPROVED_ONCE,
    KEEPERS,
    READ_OWN,
    SELLER,
    WRITE_OWN,
    check_becomes,
    masked_email,
)
from producers.services.sellers.schemas import (
    NAME,
    PAGE,
    WRONG_STATUS,
    ApplicationRequest,
    ApplicationResponse,
    ApplicationsResponse,
    ApprovalRequest,
    ProfileRequest,
    ProfileResponse,
    ReasonRequest,
    RuleRequest,
    SellerStatusResponse,
)
from producers.services.sellers.staff import join_staff
from producers.services.sellers.store import Application

_REGISTERED = ("name", "zip_prefix", "city", "state", "country")

PUBLIC_FIELDS = ("description", *_REGISTERED)
"""The fields of a profile that everybody may read: no e-mail address, no phone, no legal name."""


EXAMPLE_APPLICATION = {
    "name": "Casa das Lâmpadas",
    "legal_name": "Casa das Lâmpadas Ltda",
    "tax_id": "12.345.678/0001-90",
    "contact_email": "ana@lamps.example",
    "country": "BR",
}

ApplicationId = Annotated[Uuid, Path(description="The application's id.")]

router = APIRouter(prefix="/v1", tags=["selling"], route_class=PublicRoute)


@router.post(
    "/seller_applications",
    summary="Apply to sell",
    status_code=201,
    response_model=ApplicationResponse,
    responses=openapi_problem(409, "Your last application is not decided yet."),
)
@policy(WRITE_OWN)
async def apply_to_sell(
    request: Request, body: Annotated[ApplicationRequest, JsonBody(EXAMPLE_APPLICATION)]
) -> Response:
    """Apply to sell here. An administrator approves the application, or refuses it with a reason."""
    applicant_id = person_of(request)
    application_id, seller_id, profile = new_id(), new_id(), body.model_dump()
    async with transaction(request, NAME, applicant_id) as tx:
        opened = await store.apply(tx, application_id, seller_id, applicant_id, profile)
        require(opened, problems.APPLICATION_OPEN())
        return json_response(await store.find_application(tx.sql, application_id), 201)


@router.get("/seller_applications/mine", summary="Your applications", response_model=ApplicationsResponse)
@policy(READ_OWN)
async def my_applications(request: Request) -> Response:
    """Return your applications, oldest first, with the reason if one was refused."""
    applicant_id = person_of(request)
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_applications(sql, PAGE, applicant_id=applicant_id)
    return json_response({"applications": found, "next_after": None})


@router.get("/seller_applications", summary="All applications", response_model=ApplicationsResponse)
@policy(ADMIN_READ)
async def applications(
    request: Request,
    status: Literal["applied", "approved", "refused"] | None = None,
    after: Annotated[Uuid | None, Query(description="`next_after` of the previous page.")] = None,
) -> Response:
    """Return applications, oldest first; with a status, only those of it."""
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_applications(sql, PAGE, status=status, after=after)
    next_after = found[-1]["application_id"] if len(found) == PAGE else None
    return json_response({"applications": found, "next_after": next_after})


@router.post(
    "/seller_applications/{application_id}/approval",
    summary="Approve an application",
    response_model=ApplicationResponse,
    responses=NOT_FOUND
    | openapi_problem(
        409, "The status does not allow this, or the applicant works for as many sellers as a person may."
    ),
)
@policy(ADMIN_WRITE)
async def approve_application(
    request: Request, application_id: ApplicationId, body: Annotated[ApprovalRequest, JsonBody({})]
) -> Response:
    """Approve an application. The seller may sell at once, and the applicant becomes its owner."""
    admin = principal_of(request)
    async with transaction(request, NAME, application_id) as tx:
        await approve(tx, application_id, admin.subject, admin.shopper_id, body.commission_bp)
        approved = await store.find_application(tx.sql, application_id)
    await wait_until_answered(transactions(request, NAME), tx)
    return json_response(approved)


@router.post(
    "/seller_applications/{application_id}/refusal",
    summary="Refuse an application",
    response_model=ApplicationResponse,
    responses=NOT_FOUND | WRONG_STATUS,
)
@policy(ADMIN_WRITE)
async def refuse_application(
    request: Request,
    application_id: ApplicationId,
    body: Annotated[ReasonRequest, JsonBody({"reason": "The tax id belongs to another company."})],
) -> Response:
    """Refuse an application. The applicant reads the reason, and may apply again."""
    decided_by = principal_of(request).subject
    async with transaction(request, NAME, application_id) as tx:
        application = await _lock_application(tx, application_id)
        if application.status != "refused":  # a repeated refusal changes nothing
            check_becomes(application.seller_id, application.seller_status, "refused")
            await store.set_seller_status(tx, application.seller_id, "refused", decided_by, body.reason)
            await store.decide_application(tx, application_id, "refused", decided_by, body.reason)
        return json_response(await store.find_application(tx.sql, application_id))


@router.get("/sellers/{seller_id}/profile", summary="The profile of a seller", response_model=ProfileResponse)
@policy(allow("seller", "admin", "platform", traffic="read", seller_parameter=SELLER, scope="profile:read"))
async def seller_profile(request: Request, seller_id: SellerPath) -> Response:
    """Return a seller's profile and status."""
    async with transactions(request, NAME).connection() as sql:
        return json_response(await store.find_profile(sql, seller_id))


@router.patch(
    "/sellers/{seller_id}/profile",
    summary="Change the profile of a seller",
    response_model=ProfileResponse,
    responses=NOT_FOUND,
)
@policy(replace(KEEPERS, scopes=frozenset({"profile:write"})))
async def change_seller_profile(
    request: Request,
    seller_id: SellerPath,
    body: Annotated[ProfileRequest, JsonBody({"city": "Campinas", "state": "SP"})],
) -> Response:
    """Change the fields that the body has. The legal name, the tax id and the currency do not change."""
    # If shoppers read one of the fields, everybody hears of it.
    changes = body.model_dump(exclude_unset=True)
    async with transaction(request, NAME, seller_id) as tx:
        await store.change_profile(tx, seller_id, changes)
        profile = await store.find_profile(tx.sql, seller_id)
        # A seller that is not approved has no registration yet. Its event will have the profile of that time.
        if profile.status in APPROVED_ONCE and changes.keys() & set(PUBLIC_FIELDS):
            public = {field: getattr(profile, field) for field in PUBLIC_FIELDS}
            tx.emit("seller_changed", seller_id=seller_id, **public)
        return json_response(profile)


@router.post(
    "/sellers/{seller_id}/suspension",
    summary="Suspend a seller",
    response_model=SellerStatusResponse,
    responses=NOT_FOUND | WRONG_STATUS,
)
@policy(ADMIN_WRITE)
async def suspend_seller(
    request: Request,
    seller_id: SellerPath,
    body: Annotated[ReasonRequest, JsonBody({"reason": "Parcels did not arrive."})],
) -> Response:
    """Suspend a seller. Its API keys stop at once, and its staff lose their access to it."""
    return await _move(request, seller_id, "suspended", body.reason)


@router.delete(
    "/sellers/{seller_id}/suspension",
    summary="End the suspension of a seller",
    response_model=SellerStatusResponse,
    responses=NOT_FOUND | WRONG_STATUS,
)
@policy(ADMIN_WRITE)
async def reinstate_seller(
    request: Request,
    seller_id: SellerPath,
    reason: Annotated[
        str, Query(min_length=3, max_length=500, pattern=PRINTABLE, examples=["The parcels have arrived."])
    ],
) -> Response:
    """End a seller's suspension. Its staff and its API keys have their access again."""
    return await _move(request, seller_id, "approved", reason)


async def approve(
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


async def _move(
    request: Request, seller_id: str, to: Literal["approved", "suspended"], reason: str
) -> Response:
    """Suspend a seller, or end its suspension, and return its status. A repetition changes nothing.

    The gateway asks which sellers are suspended. Users ends the access tokens of the staff when it reads the
    event.

    Raises:
        UNKNOWN_SELLER, WRONG_STATUS: there is no such seller, or it was never approved.
    """
    async with transaction(request, NAME, seller_id) as tx:
        status = require(await store.lock_seller(tx, seller_id), problems.UNKNOWN_SELLER(seller_id=seller_id))
        if status not in APPROVED_ONCE:
            raise problems.WRONG_STATUS(seller_id=seller_id, status=status, to=to)
        if status != to:
            check_becomes(seller_id, status, to)
            await store.set_seller_status(tx, seller_id, to, principal_of(request).subject, reason)
            tx.emit("seller_status_changed", seller_id=seller_id, status=to)
    return json_response({"seller_id": seller_id, "status": to})


async def _lock_application(tx: Transaction, application_id: str) -> Application:
    application = await store.lock_application(tx, application_id)
    return require(application, problems.UNKNOWN_APPLICATION(application_id=application_id))


def person_of(request: Request) -> str:
    """Return the account id of the sender of a request.

    Raises:
        NOT_A_PERSON: the sender is no registered person.
    """
    return require(person_id(principal_of(request).subject), problems.NOT_A_PERSON())
