"""`/v1/seller_applications`: applying to sell, and the decisions about applications."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Uuid
from common.openapi import NOT_FOUND, openapi_problem
from common.principal import Principal
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute
from producers.kit.requests.sender import wait_until_answered
from producers.services.sellers import admission, store
from producers.services.sellers.policy import ADMIN_READ, ADMIN_WRITE, READ_OWN, WRITE_OWN
from producers.services.sellers.problems import NotAPerson
from producers.services.sellers.schemas import (
    NAME,
    PAGE,
    WRONG_STATUS,
    ApplicationRequest,
    ApplicationResponse,
    ApplicationsResponse,
    ApprovalRequest,
    ReasonRequest,
)

EXAMPLE_APPLICATION = {
    "name": "Casa das Lâmpadas",
    "legal_name": "Casa das Lâmpadas Ltda",
    "tax_id": "12.345.678/0001-90",
    "contact_email": "ana@lamps.example",
    "country": "BR",
}

ApplicationId = Annotated[Uuid, Path(description="The application's id.")]

router = APIRouter(prefix="/v1/seller_applications", tags=["selling"], route_class=PublicRoute)


@router.post(
    "",
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


@router.get("/mine", summary="Your applications", response_model=ApplicationsResponse)
@policy(READ_OWN)
async def my_applications(request: Request) -> Response:
    """Return your applications, oldest first, with the reason if one was refused."""
    applicant_id = person_id(principal_of(request))
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_applications(sql, PAGE, applicant_id=applicant_id)
    return json_response({"applications": found, "next_after": None})


@router.get("", summary="All applications", response_model=ApplicationsResponse)
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
    "/{application_id}/approval",
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
    "/{application_id}/refusal",
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


def person_id(principal: Principal) -> str:
    """Return the account id of a principal.

    Raises:
        NotAPerson: the principal is no registered person.
    """
    try:
        return str(UUID(principal.subject))
    except ValueError:
        raise NotAPerson from None
