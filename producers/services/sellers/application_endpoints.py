"""`/v1/seller_applications`, `/v1/sellers/{seller_id}/profile` and `/suspension`: who may sell here."""

from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import PRINTABLE, Uuid
from common.openapi import NOT_FOUND, openapi_problem
from common.principal import Principal
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.requests.sender import wait_until_answered
from producers.services.sellers import admission, store
from producers.services.sellers.model import ADMIN_READ, ADMIN_WRITE, KEEPERS, READ_OWN, SELLER, WRITE_OWN
from producers.services.sellers.problems import NOT_A_PERSON
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
    SellerStatusResponse,
)

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
    applicant_id = person_id(principal_of(request))
    async with transaction(request, NAME, applicant_id) as tx:
        application_id = await admission.apply_to_sell(tx, applicant_id, body)
        return json_response(await store.find_application(tx.sql, application_id), 201)


@router.get("/seller_applications/mine", summary="Your applications", response_model=ApplicationsResponse)
@policy(READ_OWN)
async def my_applications(request: Request) -> Response:
    """Return your applications, oldest first, with the reason if one was refused."""
    applicant_id = person_id(principal_of(request))
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
        await admission.approve_application(
            tx, application_id, admin.subject, admin.shopper_id, body.commission_bp
        )
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
    async with transaction(request, NAME, application_id) as tx:
        await admission.refuse_application(tx, application_id, principal_of(request).subject, body.reason)
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
    async with transaction(request, NAME, seller_id) as tx:
        return json_response(await admission.change_profile(tx, seller_id, body.changes()))


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
    async with transaction(request, NAME, seller_id) as tx:
        await admission.suspend_seller(tx, seller_id, principal_of(request).subject, body.reason)
    return json_response({"seller_id": seller_id, "status": "suspended"})


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
    async with transaction(request, NAME, seller_id) as tx:
        await admission.reinstate_seller(tx, seller_id, principal_of(request).subject, reason)
    return json_response({"seller_id": seller_id, "status": "approved"})


def person_id(principal: Principal) -> str:
    """Return the account id of a principal.

    Raises:
        NOT_A_PERSON: the principal is no registered person.
    """
    try:
        return str(UUID(principal.subject))
    except ValueError:
        raise NOT_A_PERSON() from None
