"""`/v1/people`: what administrators do with people, and how the operator registers one."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response
from typing_extensions import TypedDict

from common.cursor import BadCursor
from common.email_address import normalized_email
from common.guarded_route import policy
from common.ids import PRINTABLE, Uuid
from common.openapi import NOT_FOUND
from common.principal import Principal, StaffRole
from producers.kit.erasures import ask_to_forget
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.pages import Cursor, Position, cut_page
from producers.kit.http.problems import require
from producers.kit.http.routes import PLATFORM, JsonBody, PublicRoute, SellerPath, ServiceRoute
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.statements import narrowed
from producers.services.users import store
from producers.services.users.context import (
    ADMIN_READ,
    ADMIN_WRITE,
    NAME,
    PLATFORM_WITH_SECRET,
    context_of,
)
from producers.services.users.problems import CURSOR_NOT_USABLE, UNKNOWN_PERSON
from producers.services.users.registration import register_for_operator
from producers.services.users.schemas import (
    LAST_ADMINISTRATOR,
    FoundPersonResponse,
    LookupRequest,
    PersonRequest,
    RegisteredResponse,
    RelationRequest,
    RelationResponse,
    RightsResponse,
    RoleRequest,
    StaffRoleRequest,
    SuspensionRequest,
)
from producers.services.users.sessions import (
    Session,
    end_all_sessions,
    find_sessions,
    revoke_access,
    roles_of,
)
from producers.services.users.store import PersonSummary

PAGE = 50

UserId = Annotated[Uuid, Path(description="The person's id.")]

public = APIRouter(prefix="/v1/people", tags=["people"], route_class=PublicRoute)
internal = APIRouter(prefix="/v1/people", route_class=ServiceRoute)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetailsResponse(PersonSummary):
    """A person with the sellers for which they work and their sessions."""

    sellers: dict[str, StaffRole]
    sessions: list[Session]


class PeopleResponse(TypedDict):
    """A page of people, the newest first."""

    people: list[PersonSummary]
    next_cursor: str | None


@public.get("", name="people", summary="Find people", response_model=PeopleResponse)
@policy(ADMIN_READ)
async def list_people(
    request: Request,
    q: Annotated[
        str | None, Query(max_length=100, pattern=PRINTABLE, description="A part of the address or the name.")
    ] = None,
    cursor: Cursor = None,
) -> Response:
    """Return people, the newest first."""
    try:
        after = Position.of(cursor)
    except BadCursor as error:
        raise CURSOR_NOT_USABLE() from error
    async with transactions(request, NAME).connection() as sql:
        found = await store.search_people(sql, q or None, after, PAGE + 1)
    people, next_cursor = cut_page(found, PAGE, lambda it: Position(it.verified_at, it.user_id))
    return json_response(PeopleResponse(people=list(people), next_cursor=next_cursor))


@internal.post("", status_code=201, response_model=RegisteredResponse)
@policy(PLATFORM_WITH_SECRET)
async def create_person(request: Request, body: Annotated[PersonRequest, JsonBody()]) -> Response:
    """Register a person, or give a registered one the role. A link lets them choose their first password."""
    registered = await register_for_operator(
        transactions(request, NAME), context_of(request), body, request.headers.get("traceparent")
    )
    return json_response(registered, 201)


@public.get("/{user_id}", summary="A person", response_model=PersonDetailsResponse, responses=NOT_FOUND)
@policy(ADMIN_READ)
async def person(request: Request, user_id: UserId) -> Response:
    """Return a person with their sellers and their sessions."""
    return await _details(transactions(request, NAME), user_id)


@internal.get("/{user_id}/rights", response_model=RightsResponse)
@policy(PLATFORM)
async def show_person_rights(request: Request, user_id: UserId) -> Response:
    """What a person may do now; 404 if they may do nothing. Services ask before they use what they made."""
    # These check themselves whether the seller may sell. What somebody made must not end for good because
    # this service has not read yet that a suspension is over.
    async with transactions(request, NAME).connection() as sql:
        rights = require(await store.find_rights(sql, user_id), UNKNOWN_PERSON())
        sellers = await store.find_memberships(sql, user_id, also_suspended=True)
    principal = Principal(user_id, roles_of(rights.role, sellers), sellers=sellers)
    return json_response(RightsResponse(principal=principal.claims(), since=rights.since))


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
    """The person with a verified e-mail address; 404 if nobody has it. The address is in the body.

    404 also if they may not see the figures of the seller that the request names.
    """
    async with transactions(request, NAME).connection() as sql:
        user_id = require(await store.find_registered(sql, normalized_email(body.email)), UNKNOWN_PERSON())
        if body.seller_id is not None:
            require(await store.may_see_figures(sql, user_id, body.seller_id), UNKNOWN_PERSON())
    return json_response(FoundPersonResponse(user_id=user_id))


@internal.put("/{user_id}/sellers/{seller_id}", status_code=204)
@policy(PLATFORM)
async def set_staff_role(
    request: Request, user_id: UserId, seller_id: SellerPath, body: Annotated[StaffRoleRequest, JsonBody()]
) -> None:
    """Record the role that a person has at a seller now. It applies at once: their access tokens end.

    A repetition changes nothing. Nothing is recorded of somebody who was erased. If they got the role in the
    same moment, sellers has stored it after it forgot them, and is asked to forget them again.
    """
    opened = transactions(request, NAME)
    async with opened.begin(Trace("")) as tx:
        if await store.lock_person(tx, user_id) is None:
            if body.role is not None:
                ask_to_forget(tx, user_id, "")
        elif await store.save_staff_role(tx, user_id, seller_id, body.role):
            await revoke_access(tx, opened.clock(), user_id=user_id)


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
    opened = transactions(request, NAME)
    async with opened.begin(Trace("")) as tx:
        if body.role != "admin":
            await store.require_other_admin(tx, user_id)
        await store.require_locked_person(tx, user_id)
        await store.set_role(tx, user_id, body.role)
        await revoke_access(tx, opened.clock(), user_id=user_id)
    return await _details(opened, user_id)


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
    # What they made stays ended when the suspension ends: a stranger who used the account may have made it
    # (`producers.kit.makers`).
    opened = transactions(request, NAME)
    async with opened.begin(Trace("")) as tx:
        await store.require_other_admin(tx, user_id)
        await store.require_locked_person(tx, user_id)
        await store.set_suspension(tx, user_id, tx.now, body.reason)
        await end_all_sessions(tx, user_id, opened.clock())
    return await _details(opened, user_id)


@public.delete(
    "/{user_id}/suspension",
    summary="End the suspension of a person",
    response_model=PersonDetailsResponse,
    responses=NOT_FOUND,
)
@policy(ADMIN_WRITE)
async def end_person_suspension(request: Request, user_id: UserId) -> Response:
    """Let a suspended person sign in again. Their former sessions and API keys stay ended."""
    opened = transactions(request, NAME)
    async with opened.begin(Trace("")) as tx:
        await store.require_locked_person(tx, user_id)
        await store.set_suspension(tx, user_id, None, None)
    return await _details(opened, user_id)


async def _details(transactions: Transactions, user_id: str) -> Response:
    """Return a person with their sellers and sessions.

    Raises:
        UNKNOWN_PERSON: there is no such person.
    """
    async with transactions.connection() as sql:
        person = await store.require_person(sql, user_id)
        sellers = await store.find_memberships(sql, user_id)
        sessions = await find_sessions(sql, user_id, transactions.clock())
    return json_response(narrowed(PersonDetailsResponse, person, sellers=sellers, sessions=sessions))


router = APIRouter()
router.include_router(public)
router.include_router(internal)
