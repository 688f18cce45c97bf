"""`/v1/people`: what administrators do with people, and how the operator registers one."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import PRINTABLE, Uuid
from common.openapi import NOT_FOUND
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath, ServiceRoute
from producers.services.users import people, registration, store
from producers.services.users.policy import ADMIN_READ, ADMIN_WRITE, PLATFORM, PLATFORM_WITH_SECRET
from producers.services.users.requests import NAME, context_of
from producers.services.users.schemas import (
    LAST_ADMINISTRATOR,
    FoundPersonResponse,
    LookupRequest,
    PeopleResponse,
    PersonDetailsResponse,
    PersonRequest,
    RegisteredResponse,
    RelationRequest,
    RelationResponse,
    RightsResponse,
    RoleRequest,
    StaffRoleRequest,
    SuspensionRequest,
)

UserId = Annotated[Uuid, Path(description="The person's id.")]

public = APIRouter(prefix="/v1/people", tags=["people"], route_class=PublicRoute)
internal = APIRouter(prefix="/v1/people", route_class=ServiceRoute)


@public.get("", name="people", summary="Find people", response_model=PeopleResponse)
@policy(ADMIN_READ)
async def list_people(
    request: Request,
    q: Annotated[
        str | None, Query(max_length=100, pattern=PRINTABLE, description="A part of the address or the name.")
    ] = None,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the previous page.")
    ] = None,
) -> Response:
    """Return people, the newest first."""
    return json_response(await people.search(transactions(request, NAME), q or None, cursor))


@internal.post("", status_code=201, response_model=RegisteredResponse)
@policy(PLATFORM_WITH_SECRET)
async def create_person(request: Request, body: Annotated[PersonRequest, JsonBody()]) -> Response:
    """Register a person, or give a registered one the role. A link lets them choose their first password."""
    registered = await registration.register_for_operator(
        transactions(request, NAME), context_of(request), body, request.headers.get("traceparent")
    )
    return json_response(registered, 201)


@public.get("/{user_id}", summary="A person", response_model=PersonDetailsResponse, responses=NOT_FOUND)
@policy(ADMIN_READ)
async def person(request: Request, user_id: UserId) -> Response:
    """Return a person with their sellers and their sessions."""
    return json_response(await people.show(transactions(request, NAME), user_id))


@internal.get("/{user_id}/rights", response_model=RightsResponse)
@policy(PLATFORM)
async def show_person_rights(request: Request, user_id: UserId) -> Response:
    """What a person may do now; 404 if they may do nothing. Services ask before they use what they made."""
    return json_response(await people.show_rights(transactions(request, NAME), user_id))


@internal.post("/{user_id}/relations", response_model=RelationResponse)
@policy(PLATFORM)
async def is_person_related(
    request: Request, user_id: UserId, body: Annotated[RelationRequest, JsonBody()]
) -> Response:
    """Whether a person works for a seller, or shares a mailbox or a saved address with somebody who does."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"is_related": await store.is_related(sql, user_id, body.seller_id, body.since)})


@internal.post("/lookups", response_model=FoundPersonResponse)
@policy(PLATFORM)
async def find_person(request: Request, body: Annotated[LookupRequest, JsonBody()]) -> Response:
    """The person with a verified e-mail address; 404 if nobody has it. The address is in the body."""
    return json_response({"user_id": await people.look_up(transactions(request, NAME), body)})


@internal.put("/{user_id}/sellers/{seller_id}", status_code=204)
@policy(PLATFORM)
async def set_staff_role(
    request: Request, user_id: UserId, seller_id: SellerPath, body: Annotated[StaffRoleRequest, JsonBody()]
) -> Response:
    """Record the role that a person has at a seller now. It applies at once: their access tokens end."""
    await people.set_staff_role(transactions(request, NAME), user_id, seller_id, body.role)
    return Response(status_code=204)


@public.put(
    "/{user_id}/role",
    summary="Give a person a role",
    response_model=PersonDetailsResponse,
    responses=NOT_FOUND | LAST_ADMINISTRATOR,
)
@policy(ADMIN_WRITE)
async def set_person_role(
    request: Request, user_id: UserId, body: Annotated[RoleRequest, JsonBody({"role": "analyst"})]
) -> Response:
    """Give a person a role, or take it away with `shopper`. It applies at once: their access tokens end."""
    return json_response(await people.set_role(transactions(request, NAME), user_id, body.role))


@public.post(
    "/{user_id}/suspension",
    summary="Suspend a person",
    response_model=PersonDetailsResponse,
    responses=NOT_FOUND | LAST_ADMINISTRATOR,
)
@policy(ADMIN_WRITE)
async def suspend_person(
    request: Request,
    user_id: UserId,
    body: Annotated[SuspensionRequest, JsonBody({"reason": "Stolen cards."})],
) -> Response:
    """Suspend a person. Their sessions and the API keys that they made end, and they can't sign in."""
    return json_response(await people.suspend(transactions(request, NAME), user_id, body.reason))


@public.delete(
    "/{user_id}/suspension",
    summary="End the suspension of a person",
    response_model=PersonDetailsResponse,
    responses=NOT_FOUND,
)
@policy(ADMIN_WRITE)
async def end_person_suspension(request: Request, user_id: UserId) -> Response:
    """Let a suspended person sign in again. Their former sessions and API keys stay ended."""
    return json_response(await people.end_suspension(transactions(request, NAME), user_id))


router = APIRouter()
router.include_router(public)
router.include_router(internal)
