"""`/v1/me`: a person's own account."""

from dataclasses import asdict
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import Id
from producers.http.endpoint import json_response, parse_body, transactions
from producers.http.guard import principal_of
from producers.users import account, recommendation_mail_store, session_store, sessions, store
from producers.users.auth_endpoints import MAIL_FOLLOWS
from producers.users.erasure import erase
from producers.users.export import export
from producers.users.policy import POLICIES
from producers.users.recommendation_mail_store import Agreement
from producers.users.requests import NAME, context_of, person_of
from producers.users.schemas import (
    ADDRESS_REQUEST,
    EMAIL_CHANGE_REQUEST,
    ERASURE_REQUEST,
    PASSWORD_CHANGE_REQUEST,
    PROFILE_REQUEST,
    RECOMMENDATION_MAILS_REQUEST,
    AddressResponse,
    MessageResponse,
    RecommendationMailsResponse,
    SessionResponse,
    UserResponse,
)
from producers.users.store import Address

router = APIRouter(prefix="/v1/me", route_class=guarded(POLICIES))


@router.get("", response_model=UserResponse)
async def show_me(request: Request) -> Response:
    """The person who is signed in."""
    return json_response(await _profile(request))


@router.patch("", response_model=UserResponse)
async def change_me(request: Request) -> Response:
    """Change the name."""
    body = await parse_body(request, PROFILE_REQUEST)
    await account.set_name(transactions(request, NAME), person_of(request), body.name)
    return json_response(await _profile(request))


@router.post("/password", status_code=204, response_class=Response)
async def set_my_password(request: Request) -> Response:
    """Choose a new password. All other sessions end."""
    body = await parse_body(request, PASSWORD_CHANGE_REQUEST)
    await account.change_password(
        transactions(request, NAME),
        context_of(request),
        person_of(request),
        principal_of(request).session_id,
        body,
    )
    return Response(status_code=204)


@router.post("/email_changes", status_code=202, response_model=MessageResponse)
async def create_email_change(request: Request) -> Response:
    """Ask for another e-mail address. A mail to it contains the link that confirms it."""
    body = await parse_body(request, EMAIL_CHANGE_REQUEST)
    await account.request_email_change(
        transactions(request, NAME), context_of(request), person_of(request), body
    )
    return json_response(MAIL_FOLLOWS, 202)


@router.get("/sessions", response_model=list[SessionResponse])
async def list_my_sessions(request: Request) -> Response:
    """The sessions that have not ended, the last used first."""
    current, opened = principal_of(request).session_id, transactions(request, NAME)
    async with opened.connection() as sql:
        found = await session_store.find_sessions(sql, person_of(request), opened.clock())
    return json_response([{**session, "current": session["session_id"] == current} for session in found])


@router.delete("/sessions/{session_id}", status_code=204, response_class=Response)
async def end_my_session(request: Request, session_id: UUID) -> Response:
    """End a session, such as that of a lost device."""
    await sessions.sign_out(transactions(request, NAME), person_of(request), str(session_id))
    return Response(status_code=204)


@router.get("/recommendation_mails", response_model=RecommendationMailsResponse)
async def show_my_recommendation_mails(request: Request) -> Response:
    """Whether the person gets a weekly mail with recommendations."""
    async with transactions(request, NAME).connection() as sql:
        agreement = await recommendation_mail_store.find_agreement(sql, person_of(request))
    return json_response(_agreed(agreement))


@router.put("/recommendation_mails", response_model=RecommendationMailsResponse)
async def set_my_recommendation_mails(request: Request) -> Response:
    """Agree to a weekly mail with recommendations, or end these mails."""
    body = await parse_body(request, RECOMMENDATION_MAILS_REQUEST)
    agreement = await account.want_recommendation_mails(
        transactions(request, NAME), person_of(request), wanted=body.wanted
    )
    return json_response(_agreed(agreement))


@router.get("/addresses", response_model=list[AddressResponse])
async def list_my_addresses(request: Request) -> Response:
    """The postal addresses."""
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_addresses(sql, person_of(request))
    return json_response([asdict(address) for address in found])


@router.put("/addresses/{address_id}", response_model=AddressResponse)
async def set_my_address(request: Request, address_id: Id) -> Response:
    """Save a postal address, new or changed. The client chooses its id, such as `home`."""
    body = await parse_body(request, ADDRESS_REQUEST)
    address = Address(address_id, **body.model_dump())
    await account.save_address(transactions(request, NAME), person_of(request), address)
    return json_response(asdict(address))


@router.delete("/addresses/{address_id}", status_code=204, response_class=Response)
async def delete_my_address(request: Request, address_id: Id) -> Response:
    """Delete a postal address."""
    await account.delete_address(transactions(request, NAME), person_of(request), address_id)
    return Response(status_code=204)


@router.get("/export")
async def export_me(request: Request) -> Response:
    """All that the shop keeps of the person: profile, addresses, sessions, sign-ins, mails and orders."""
    exported = await export(transactions(request, NAME), context_of(request), person_of(request))
    headers = {"Content-Disposition": 'attachment; filename="souk-export.json"'}
    return json_response(exported, 200, **headers)


@router.post("/erasure", status_code=204, response_class=Response)
async def erase_me(request: Request) -> Response:
    """Erase the person. This can't be undone. Orders stay, without anything that links them to a person."""
    body = await parse_body(request, ERASURE_REQUEST)
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
