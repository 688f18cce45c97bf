"""`/v1/seller_applications`: applying to sell, and the decisions about applications."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.principal import Principal
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.http.guard import principal_of
from producers.requests.sender import wait_until_answered
from producers.sellers import store
from producers.sellers.admission import apply_to_sell, approve_application, refuse_application
from producers.sellers.policy import POLICIES
from producers.sellers.problems import NotAPerson
from producers.sellers.schemas import (
    APPLICATION_REQUEST,
    APPROVAL_REQUEST,
    NAME,
    PAGE,
    REASON_REQUEST,
    ApplicationResponse,
    ApplicationsResponse,
    Uuid,
)

router = APIRouter(prefix="/v1/seller_applications", tags=[NAME], route_class=guarded(POLICIES))


@router.post("", status_code=201, response_model=ApplicationResponse)
async def apply(request: Request) -> Response:
    """Apply to sell. An administrator decides; a person has one open application at a time."""
    applicant_id = person_id(principal_of(request))
    body = await parse_body(request, APPLICATION_REQUEST)
    async with transaction(request, NAME, applicant_id) as tx:
        application_id = await apply_to_sell(tx, applicant_id, body)
        return json_response(await store.find_application(tx.sql, application_id), 201)


@router.get("/mine", response_model=ApplicationsResponse)
async def show_mine(request: Request) -> Response:
    """The applications of the signed-in person, oldest first, with the reason if one was refused."""
    applicant_id = person_id(principal_of(request))
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_applications(sql, PAGE, applicant_id=applicant_id)
    return json_response({"applications": found, "next_after": None})


@router.get("", response_model=ApplicationsResponse)
async def list_applications(
    request: Request,
    status: Literal["applied", "approved", "refused"] | None = None,
    after: Uuid | None = None,
) -> Response:
    """All applications, or those of a status, oldest first, a page at a time."""
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_applications(sql, PAGE, status=status, after=after)
    next_after = found[-1]["application_id"] if len(found) == PAGE else None
    return json_response({"applications": found, "next_after": next_after})


@router.post("/{application_id}/approval", response_model=ApplicationResponse)
async def approve(request: Request, application_id: Uuid) -> Response:
    """Approve an application: the seller may sell, and the applicant becomes its owner."""
    body = await parse_body(request, APPROVAL_REQUEST)
    admin = principal_of(request)
    async with transaction(request, NAME, application_id) as tx:
        await approve_application(tx, application_id, admin.subject, admin.shopper_id, body.commission_bp)
        approved = await store.find_application(tx.sql, application_id)
    await wait_until_answered(transactions(request, NAME), tx)
    return json_response(approved)


@router.post("/{application_id}/refusal", response_model=ApplicationResponse)
async def refuse(request: Request, application_id: Uuid) -> Response:
    """Refuse an application. The applicant reads the reason."""
    body = await parse_body(request, REASON_REQUEST)
    async with transaction(request, NAME, application_id) as tx:
        await refuse_application(tx, application_id, principal_of(request).subject, body.reason)
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
