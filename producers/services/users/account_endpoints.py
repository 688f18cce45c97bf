"""`/v1/me`: a person's own account."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Id, Uuid
from common.openapi import NOT_FOUND, openapi_problem
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute
from producers.kit.outbox.trace import Trace
from producers.services.users import account, sessions, store
from producers.services.users.auth_endpoints import EXAMPLE_SIGN_IN, MAIL_FOLLOWS, TOO_MANY
from producers.services.users.context import CONFIRM, NAME, READ_OWN, WRITE_OWN, context_of, person_of
from producers.services.users.personal_data import erase, export
from producers.services.users.problems import UNKNOWN_ADDRESS
from producers.services.users.recommendation_mails import (
    Agreement,
    find_agreement,
    want_recommendation_mails,
)
from producers.services.users.schemas import (
    LAST_ADMINISTRATOR,
    AddressRequest,
    EmailChangeRequest,
    ErasureRequest,
    MessageResponse,
    PasswordChangeRequest,
    ProfileRequest,
    RecommendationMailsRequest,
    RecommendationMailsResponse,
    UserResponse,
)
from producers.services.users.sessions import Session
from producers.services.users.store import Address

EXAMPLE_ADDRESS = {
    "recipient": "Ana Lima",
    "street": "Rua das Flores 12",
    "city": "Campinas",
    "state": "SP",
    "postal_code": "13010-000",
    "country": "BR",
}

WRONG_PASSWORD = openapi_problem(
    403, "The password is wrong, or the sender has none of the needed roles or scopes."
)
NO_PASSWORD = openapi_problem(409, "The account has no password yet, or is one of the demo.")

SessionId = Annotated[Uuid, Path(description="The session's id.")]
AddressId = Annotated[Id, Path(description="An id that you choose.", examples=["home"])]

router = APIRouter(prefix="/v1/me", tags=["identity"], route_class=PublicRoute, responses=NOT_FOUND)


@dataclass(frozen=True, slots=True)
class SessionResponse(Session):
    """A session of a person. `current` is the one that asks."""

    current: bool


@router.get("", summary="Your account", response_model=UserResponse)
@policy(READ_OWN)
async def me(request: Request) -> Response:
    """Return who is signed in."""
    return json_response(await _profile(request))


@router.patch("", summary="Change your name", response_model=UserResponse)
@policy(WRITE_OWN)
async def change_me(
    request: Request, body: Annotated[ProfileRequest, JsonBody({"name": "Ana Lima"})]
) -> Response:
    """Change your name."""
    user_id = person_of(request)
    async with transactions(request, NAME).begin(Trace("")) as tx:
        await store.set_name(tx, user_id, body.name)
    return json_response(await _profile(request))


@router.post(
    "/password",
    summary="Change your password",
    status_code=204,
    responses=WRONG_PASSWORD | NO_PASSWORD | TOO_MANY,
)
@policy(CONFIRM)
async def change_password(
    request: Request,
    body: Annotated[
        PasswordChangeRequest, JsonBody({"password": "a long sentence", "new_password": "a longer sentence"})
    ],
) -> Response:
    """Choose a new password. All other sessions end."""
    await account.change_password(
        transactions(request, NAME),
        context_of(request),
        person_of(request),
        principal_of(request).session_id,
        body,
    )
    return Response(status_code=204)


@router.post(
    "/email_changes",
    summary="Change your e-mail address",
    status_code=202,
    response_model=MessageResponse,
    responses=WRONG_PASSWORD | NO_PASSWORD | TOO_MANY,
)
@policy(CONFIRM)
async def change_email(
    request: Request, body: Annotated[EmailChangeRequest, JsonBody(EXAMPLE_SIGN_IN)]
) -> Response:
    """Ask for another e-mail address. The link in the mail to it replaces the old one."""
    await account.request_email_change(
        transactions(request, NAME), context_of(request), person_of(request), body
    )
    return json_response(MAIL_FOLLOWS, 202)


@router.get("/sessions", summary="Your sessions", response_model=list[SessionResponse])
@policy(READ_OWN)
async def my_sessions(request: Request) -> Response:
    """Return the sessions that have not ended, the last used first."""
    current, opened = principal_of(request).session_id, transactions(request, NAME)
    async with opened.connection() as sql:
        found = await sessions.find_sessions(sql, person_of(request), opened.clock())
    return json_response(
        [SessionResponse(**asdict(each), current=each.session_id == current) for each in found]
    )


@router.delete("/sessions/{session_id}", summary="End a session", status_code=204)
@policy(WRITE_OWN)
async def end_my_session(request: Request, session_id: SessionId) -> Response:
    """End a session, such as that of a lost device."""
    await sessions.sign_out(transactions(request, NAME), person_of(request), session_id)
    return Response(status_code=204)


@router.get(
    "/recommendation_mails",
    summary="Whether you get mails with recommendations",
    response_model=RecommendationMailsResponse,
)
@policy(READ_OWN)
async def my_recommendation_mails(request: Request) -> Response:
    """Return whether you get a weekly mail with recommendations, and since when you have agreed to it."""
    async with transactions(request, NAME).connection() as sql:
        agreement = await find_agreement(sql, person_of(request))
    return json_response(_agreed(agreement))


@router.put(
    "/recommendation_mails",
    summary="Agree to mails with recommendations, or end them",
    response_model=RecommendationMailsResponse,
    responses=NO_PASSWORD,
)
@policy(WRITE_OWN)
async def set_my_recommendation_mails(
    request: Request, body: Annotated[RecommendationMailsRequest, JsonBody({"wanted": True})]
) -> Response:
    """Agree to a weekly mail with recommendations, or end these mails. Without agreement, you get none."""
    agreement = await want_recommendation_mails(
        transactions(request, NAME), person_of(request), wanted=body.wanted
    )
    return json_response(_agreed(agreement))


@router.get("/addresses", summary="Your addresses", response_model=list[Address])
@policy(READ_OWN)
async def my_addresses(request: Request) -> Response:
    """Return your postal addresses."""
    async with transactions(request, NAME).connection() as sql:
        return json_response(await store.find_addresses(sql, person_of(request)))


@router.put(
    "/addresses/{address_id}",
    summary="Save an address",
    response_model=Address,
    responses=openapi_problem(409, "You have as many addresses as you may have."),
)
@policy(WRITE_OWN)
async def save_my_address(
    request: Request, address_id: AddressId, body: Annotated[AddressRequest, JsonBody(EXAMPLE_ADDRESS)]
) -> Response:
    """Save a postal address under an id that you choose, such as `home`."""
    address = Address(address_id, **body.model_dump())
    await account.save_address(transactions(request, NAME), person_of(request), address)
    return json_response(address)


@router.delete("/addresses/{address_id}", summary="Delete an address", status_code=204)
@policy(WRITE_OWN)
async def delete_my_address(request: Request, address_id: AddressId) -> Response:
    """Delete a postal address."""
    user_id = person_of(request)
    async with transactions(request, NAME).begin(Trace("")) as tx:
        if not await store.delete_address(tx, user_id, address_id):
            raise UNKNOWN_ADDRESS()
    return Response(status_code=204)


@router.get("/export", summary="Everything that is kept of you", response_model=dict[str, Any])
@policy(READ_OWN)
async def export_me(request: Request) -> Response:
    """Return all that the shop keeps of you: profile, addresses, sessions, mails and orders."""
    exported = await export(transactions(request, NAME), context_of(request), person_of(request))
    headers = {"Content-Disposition": 'attachment; filename="souk-export.json"'}
    return json_response(exported, 200, **headers)


@router.post(
    "/erasure",
    summary="Erase your account",
    status_code=204,
    responses=WRONG_PASSWORD | NO_PASSWORD | LAST_ADMINISTRATOR | TOO_MANY,
)
@policy(CONFIRM)
async def erase_me(
    request: Request, body: Annotated[ErasureRequest, JsonBody({"password": "a long sentence"})]
) -> Response:
    """Erase your account. This can't be undone. Orders stay, without anything that links them to you."""
    await erase(
        transactions(request, NAME),
        context_of(request),
        person_of(request),
        body.password,
        request.headers.get("traceparent"),
    )
    return Response(status_code=204)


def _agreed(agreement: Agreement | None) -> RecommendationMailsResponse:
    return {"wanted": agreement is not None, "agreed_at": agreement.agreed_at if agreement else None}


async def _profile(request: Request) -> UserResponse:
    return await account.show_profile(transactions(request, NAME), context_of(request), person_of(request))
