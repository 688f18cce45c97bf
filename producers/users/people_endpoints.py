"""`/v1/people`: what administrators do with people, and how the operator registers one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import PRINTABLE, Id
from producers.http.endpoint import json_response, parse_body, transactions
from producers.users import people, registration
from producers.users.policy import POLICIES
from producers.users.requests import NAME, context_of
from producers.users.schemas import (
    LOOKUP_REQUEST,
    PERSON_REQUEST,
    ROLE_REQUEST,
    STAFF_ROLE_REQUEST,
    SUSPENSION_REQUEST,
    FoundPersonResponse,
    PeopleResponse,
    PersonDetailsResponse,
    RegisteredResponse,
    RightsResponse,
)

router = APIRouter(prefix="/v1/people", route_class=guarded(POLICIES))


@router.get("", response_model=PeopleResponse)
async def list_people(
    request: Request,
    q: Annotated[str | None, Query(max_length=100, pattern=PRINTABLE)] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """People whose e-mail address or name contains `q`, the newest first."""
    return json_response(await people.search(transactions(request, NAME), q or None, cursor))


@router.post("", status_code=201, response_model=RegisteredResponse)
async def create_person(request: Request) -> Response:
    """Register a person, or give a registered one the role. A link lets them choose their first password."""
    body = await parse_body(request, PERSON_REQUEST)
    registered = await registration.register_for_operator(
        transactions(request, NAME), context_of(request), body, request.headers.get("traceparent")
    )
    return json_response(registered, 201)


@router.get("/{user_id}", response_model=PersonDetailsResponse)
async def show_person(request: Request, user_id: UUID) -> Response:
    """A person, with their sellers and sessions."""
    return json_response(await people.show(transactions(request, NAME), str(user_id)))


@router.get("/{user_id}/rights", response_model=RightsResponse)
async def show_person_rights(request: Request, user_id: UUID) -> Response:
    """What a person may do now; 404 if they may do nothing. Services ask before they use what they made."""
    return json_response(await people.show_rights(transactions(request, NAME), str(user_id)))


@router.post("/lookups", response_model=FoundPersonResponse)
async def find_person(request: Request) -> Response:
    """The person with a verified e-mail address; 404 if nobody has it. The address is in the body."""
    body = await parse_body(request, LOOKUP_REQUEST)
    return json_response({"user_id": await people.look_up(transactions(request, NAME), body)})


@router.put("/{user_id}/sellers/{seller_id}", status_code=204)
async def set_staff_role(request: Request, user_id: UUID, seller_id: Id) -> Response:
    """Record the role that a person has at a seller now. It applies at once: their access tokens end."""
    body = await parse_body(request, STAFF_ROLE_REQUEST)
    await people.set_staff_role(transactions(request, NAME), str(user_id), seller_id, body.role)
    return Response(status_code=204)


@router.put("/{user_id}/role", response_model=PersonDetailsResponse)
async def set_person_role(request: Request, user_id: UUID) -> Response:
    """Give a person a role, or remove it (`shopper`)."""
    body = await parse_body(request, ROLE_REQUEST)
    return json_response(await people.set_role(transactions(request, NAME), str(user_id), body.role))


@router.post("/{user_id}/suspension", response_model=PersonDetailsResponse)
async def suspend_person(request: Request, user_id: UUID) -> Response:
    """Suspend a person: their sessions and what they made end, such as API keys. They can't sign in."""
    body = await parse_body(request, SUSPENSION_REQUEST)
    return json_response(await people.suspend(transactions(request, NAME), str(user_id), body.reason))


@router.delete("/{user_id}/suspension", response_model=PersonDetailsResponse)
async def end_person_suspension(request: Request, user_id: UUID) -> Response:
    """Let a suspended person sign in again."""
    return json_response(await people.end_suspension(transactions(request, NAME), str(user_id)))
