"""The routes under `/v1` about people: registering, signing in, one's own account, and administration."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE, Id
from producers.users import schemas
from serving.commerce.forwarding import (
    BODY,
    BODY_LIMIT,
    MISSING,
    UNAVAILABLE,
    UNUSABLE,
    UUID,
    CommerceDep,
)
from serving.commerce.policy import IDENTITY
from serving.gateway.described_routes import guarded
from serving.kit.openapi import json_request_body, openapi_problem

EXAMPLE_SIGN_IN = {"email": "ana@shop.example", "password": "a long sentence"}
EXAMPLE_TOKEN = {"token": "a token from a mail", "password": "a long sentence"}
EXAMPLE_ADDRESS = {
    "recipient": "Ana Lima",
    "street": "Rua das Flores 12",
    "city": "Campinas",
    "state": "SP",
    "postal_code": "13010-000",
    "country": "BR",
}

WRITES = UNAVAILABLE | BODY
WRONG_CREDENTIALS = openapi_problem(401, "The e-mail address or the password is wrong.")
WRONG_PASSWORD = openapi_problem(
    403, "The password is wrong, or the sender has none of the needed roles or scopes."
)
WRONG_LINK_PASSWORD = openapi_problem(
    403, "The password is not that of the person who asked for the mail. The link can still be used."
)
NO_PASSWORD = openapi_problem(409, "The account has no password yet, or is one of the demo.")
SUSPENDED = openapi_problem(403, "An administrator has suspended the account; the detail says why.")
SESSION_ENDED = openapi_problem(401, "The refresh token was used before, or its session has ended.")
LINK_ENDED = openapi_problem(410, "The link was used before, or it has expired.")
TOO_MANY = openapi_problem(429, "Too many attempts; `Retry-After` says how long to wait.")
LAST_ADMINISTRATOR = openapi_problem(409, "Nobody else could administer the shop.")

router = APIRouter(route_class=guarded(IDENTITY, takes_key=True), prefix="/v1", tags=["identity"])
people_router = APIRouter(route_class=guarded(IDENTITY, takes_key=True), prefix="/v1", tags=["people"])

UserId = Annotated[str, Path(pattern=UUID, description="The person's id.")]
SessionId = Annotated[str, Path(pattern=UUID, description="The session's id.")]
SellerId = Annotated[Id, Path(description="The seller's id.")]
AddressId = Annotated[Id, Path(description="An id that you choose.", examples=["home"])]


@router.post(
    "/auth/registrations",
    summary="Register",
    status_code=202,
    response_model=schemas.MessageResponse,
    responses=WRITES | TOO_MANY,
    openapi_extra=json_request_body(schemas.RegistrationRequest, EXAMPLE_SIGN_IN | {"name": "Ana"}),
)
async def register(request: Request, commerce: CommerceDep) -> Response:
    """Register. The response is the same whether or not the address has an account. See the mail."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/auth/verifications",
    summary="Verify an e-mail address",
    response_model=schemas.VerifiedResponse,
    responses=WRITES | WRONG_LINK_PASSWORD | LINK_ENDED | TOO_MANY,
    openapi_extra=json_request_body(schemas.ConfirmationRequest, EXAMPLE_TOKEN),
)
async def verify_email(request: Request, commerce: CommerceDep) -> Response:
    """Verify an e-mail address with the token of the mail and the password of the registration.

    Its owner can sign in afterwards.
    """
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/auth/sessions",
    summary="Sign in",
    status_code=201,
    response_model=schemas.TokensResponse,
    responses=WRITES | WRONG_CREDENTIALS | SUSPENDED | TOO_MANY,
    openapi_extra=json_request_body(schemas.SignInRequest, EXAMPLE_SIGN_IN),
)
async def sign_in(request: Request, commerce: CommerceDep) -> Response:
    """Return an access token, valid for 15 minutes, and a refresh token with which you get the next ones.

    Send the `device_token` of the last sign-in on this device: then wrong guesses of others do not slow you.
    """
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/auth/refresh",
    summary="Get a new access token",
    response_model=schemas.TokensResponse,
    responses=WRITES | SESSION_ENDED | SUSPENDED | TOO_MANY,
    openapi_extra=json_request_body(schemas.RefreshRequest, {"refresh_token": "your refresh token"}),
)
async def refresh(request: Request, commerce: CommerceDep) -> Response:
    """Return a new access token and a new refresh token. Using a refresh token twice ends the session."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/auth/password_resets",
    summary="Ask for a new password",
    status_code=202,
    response_model=schemas.MessageResponse,
    responses=WRITES | TOO_MANY,
    openapi_extra=json_request_body(schemas.EmailRequest, {"email": "ana@shop.example"}),
)
async def ask_for_password_reset(request: Request, commerce: CommerceDep) -> Response:
    """Ask for a new password. The response is the same whether or not the address has an account."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/auth/password_resets/confirmations",
    summary="Choose a new password",
    response_model=schemas.PasswordSetResponse,
    responses=WRITES | LINK_ENDED | TOO_MANY,
    openapi_extra=json_request_body(schemas.NewPasswordRequest, EXAMPLE_TOKEN),
)
async def reset_password(request: Request, commerce: CommerceDep) -> Response:
    """Choose a new password with the token of the mail. All sessions end."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/auth/email_changes/confirmations",
    summary="Confirm a new e-mail address",
    response_model=schemas.VerifiedResponse,
    responses=WRITES | WRONG_LINK_PASSWORD | LINK_ENDED | TOO_MANY,
    openapi_extra=json_request_body(schemas.ConfirmationRequest, EXAMPLE_TOKEN),
)
async def confirm_email_change(request: Request, commerce: CommerceDep) -> Response:
    """Confirm a new e-mail address with the token of the mail to it and the password of the account."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/auth/unsubscriptions",
    summary="End mails with recommendations",
    status_code=204,
    responses=WRITES | LINK_ENDED | TOO_MANY,
    openapi_extra=json_request_body(schemas.UnsubscriptionRequest, {"token": "a token from a mail"}),
)
async def unsubscribe(request: Request, commerce: CommerceDep) -> Response:
    """End the mails with recommendations with the token of the link in one of them. It needs no sign-in."""
    return await commerce.forward(request, BODY_LIMIT)


@router.delete("/auth/sessions/current", summary="Sign out", status_code=204, responses=UNAVAILABLE | MISSING)
async def sign_out(request: Request, commerce: CommerceDep) -> Response:
    """End the session of the access token. The token is refused from now on."""
    return await commerce.forward(request)


@router.get(
    "/me", summary="Your account", response_model=schemas.UserResponse, responses=UNAVAILABLE | MISSING
)
async def me(request: Request, commerce: CommerceDep) -> Response:
    """Return who is signed in."""
    return await commerce.forward(request)


@router.patch(
    "/me",
    summary="Change your name",
    response_model=schemas.UserResponse,
    responses=WRITES | MISSING,
    openapi_extra=json_request_body(schemas.ProfileRequest, {"name": "Ana Lima"}),
)
async def change_me(request: Request, commerce: CommerceDep) -> Response:
    """Change your name."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/me/password",
    summary="Change your password",
    status_code=204,
    responses=WRITES | MISSING | WRONG_PASSWORD | NO_PASSWORD | TOO_MANY,
    openapi_extra=json_request_body(
        schemas.PasswordChangeRequest, {"password": "a long sentence", "new_password": "a longer sentence"}
    ),
)
async def change_password(request: Request, commerce: CommerceDep) -> Response:
    """Choose a new password. All other sessions end."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/me/email_changes",
    summary="Change your e-mail address",
    status_code=202,
    response_model=schemas.MessageResponse,
    responses=WRITES | MISSING | WRONG_PASSWORD | NO_PASSWORD | TOO_MANY,
    openapi_extra=json_request_body(schemas.EmailChangeRequest, EXAMPLE_SIGN_IN),
)
async def change_email(request: Request, commerce: CommerceDep) -> Response:
    """Ask for another e-mail address. The link in the mail to it replaces the old one."""
    return await commerce.forward(request, BODY_LIMIT)


@router.get(
    "/me/sessions",
    summary="Your sessions",
    response_model=list[schemas.SessionResponse],
    responses=UNAVAILABLE | MISSING,
)
async def my_sessions(request: Request, commerce: CommerceDep) -> Response:
    """Return the sessions that have not ended, the last used first."""
    return await commerce.forward(request)


@router.delete(
    "/me/sessions/{session_id}",
    summary="End a session",
    status_code=204,
    responses=UNAVAILABLE | UNUSABLE | MISSING,
)
async def end_my_session(request: Request, commerce: CommerceDep, session_id: SessionId) -> Response:
    """End a session, such as that of a lost device."""
    return await commerce.forward(request)


@router.get(
    "/me/recommendation_mails",
    summary="Whether you get mails with recommendations",
    response_model=schemas.RecommendationMailsResponse,
    responses=UNAVAILABLE | MISSING,
)
async def my_recommendation_mails(request: Request, commerce: CommerceDep) -> Response:
    """Return whether you get a weekly mail with recommendations, and since when you have agreed to it."""
    return await commerce.forward(request)


@router.put(
    "/me/recommendation_mails",
    summary="Agree to mails with recommendations, or end them",
    response_model=schemas.RecommendationMailsResponse,
    responses=WRITES | MISSING | NO_PASSWORD,
    openapi_extra=json_request_body(schemas.RecommendationMailsRequest, {"wanted": True}),
)
async def set_my_recommendation_mails(request: Request, commerce: CommerceDep) -> Response:
    """Agree to a weekly mail with recommendations, or end these mails. Without agreement, you get none."""
    return await commerce.forward(request, BODY_LIMIT)


@router.get(
    "/me/followed_sellers",
    summary="The sellers that you follow",
    response_model=schemas.FollowedSellersResponse,
    responses=UNAVAILABLE | MISSING,
)
async def my_followed_sellers(request: Request, commerce: CommerceDep) -> Response:
    """Return the sellers that you follow, the newest first."""
    return await commerce.forward(request)


@router.put(
    "/me/followed_sellers/{seller_id}",
    summary="Follow a seller",
    response_model=schemas.FollowedSellersResponse,
    responses=UNAVAILABLE
    | UNUSABLE
    | MISSING
    | openapi_problem(409, "You follow as many sellers as you may follow."),
)
async def follow_seller(request: Request, commerce: CommerceDep, seller_id: SellerId) -> Response:
    """Follow a seller: the shop shows you what they list. Return all that you follow."""
    return await commerce.forward(request)


@router.delete(
    "/me/followed_sellers/{seller_id}",
    summary="Unfollow a seller",
    response_model=schemas.FollowedSellersResponse,
    responses=UNAVAILABLE | UNUSABLE | MISSING,
)
async def unfollow_seller(request: Request, commerce: CommerceDep, seller_id: SellerId) -> Response:
    """Follow a seller no more. Return those that you still follow."""
    return await commerce.forward(request)


@router.get(
    "/me/addresses",
    summary="Your addresses",
    response_model=list[schemas.AddressResponse],
    responses=UNAVAILABLE | MISSING,
)
async def my_addresses(request: Request, commerce: CommerceDep) -> Response:
    """Return your postal addresses."""
    return await commerce.forward(request)


@router.put(
    "/me/addresses/{address_id}",
    summary="Save an address",
    response_model=schemas.AddressResponse,
    responses=WRITES | MISSING | openapi_problem(409, "You have as many addresses as you may have."),
    openapi_extra=json_request_body(schemas.AddressRequest, EXAMPLE_ADDRESS),
)
async def save_my_address(request: Request, commerce: CommerceDep, address_id: AddressId) -> Response:
    """Save a postal address under an id that you choose, such as `home`."""
    return await commerce.forward(request, BODY_LIMIT)


@router.delete(
    "/me/addresses/{address_id}",
    summary="Delete an address",
    status_code=204,
    responses=UNAVAILABLE | UNUSABLE | MISSING,
)
async def delete_my_address(request: Request, commerce: CommerceDep, address_id: AddressId) -> Response:
    """Delete a postal address."""
    return await commerce.forward(request)


@router.get(
    "/me/export",
    summary="Everything that is kept of you",
    response_model=dict[str, Any],
    responses=UNAVAILABLE | MISSING,
)
async def export_me(request: Request, commerce: CommerceDep) -> Response:
    """Return all that the shop keeps of you: profile, addresses, sessions, mails and orders."""
    return await commerce.forward(request)


@router.post(
    "/me/erasure",
    summary="Erase your account",
    status_code=204,
    responses=WRITES | MISSING | WRONG_PASSWORD | NO_PASSWORD | LAST_ADMINISTRATOR | TOO_MANY,
    openapi_extra=json_request_body(schemas.ErasureRequest, {"password": "a long sentence"}),
)
async def erase_me(request: Request, commerce: CommerceDep) -> Response:
    """Erase your account. This can't be undone. Orders stay, without anything that links them to you."""
    return await commerce.forward(request, BODY_LIMIT)


@people_router.get(
    "/people",
    summary="Find people",
    response_model=schemas.PeopleResponse,
    responses=UNAVAILABLE | UNUSABLE,
)
async def people(
    request: Request,
    commerce: CommerceDep,
    q: Annotated[
        str | None, Query(max_length=100, pattern=PRINTABLE, description="A part of the address or the name.")
    ] = None,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the previous page.")
    ] = None,
) -> Response:
    """Return people, the newest first."""
    return await commerce.forward(request)


@people_router.get(
    "/people/{user_id}",
    summary="A person",
    response_model=schemas.PersonDetailsResponse,
    responses=UNAVAILABLE | UNUSABLE | MISSING,
)
async def person(request: Request, commerce: CommerceDep, user_id: UserId) -> Response:
    """Return a person with their sellers and their sessions."""
    return await commerce.forward(request)


@people_router.put(
    "/people/{user_id}/role",
    summary="Give a person a role",
    response_model=schemas.PersonDetailsResponse,
    responses=WRITES | MISSING | LAST_ADMINISTRATOR,
    openapi_extra=json_request_body(schemas.RoleRequest, {"role": "analyst"}),
)
async def set_person_role(request: Request, commerce: CommerceDep, user_id: UserId) -> Response:
    """Give a person a role, or take it away with `shopper`. It applies at once: their access tokens end."""
    return await commerce.forward(request, BODY_LIMIT)


@people_router.post(
    "/people/{user_id}/suspension",
    summary="Suspend a person",
    response_model=schemas.PersonDetailsResponse,
    responses=WRITES | MISSING | LAST_ADMINISTRATOR,
    openapi_extra=json_request_body(schemas.SuspensionRequest, {"reason": "Stolen cards."}),
)
async def suspend_person(request: Request, commerce: CommerceDep, user_id: UserId) -> Response:
    """Suspend a person. Their sessions and the API keys that they made end, and they can't sign in."""
    return await commerce.forward(request, BODY_LIMIT)


@people_router.delete(
    "/people/{user_id}/suspension",
    summary="End the suspension of a person",
    response_model=schemas.PersonDetailsResponse,
    responses=UNAVAILABLE | UNUSABLE | MISSING,
)
async def end_person_suspension(request: Request, commerce: CommerceDep, user_id: UserId) -> Response:
    """Let a suspended person sign in again. Their former sessions and API keys stay ended."""
    return await commerce.forward(request)


@people_router.get(
    "/mails",
    summary="The local mailbox",
    response_model=list[schemas.MailResponse],
    responses=UNAVAILABLE | UNUSABLE,
)
async def mails(
    request: Request,
    commerce: CommerceDep,
    to: Annotated[
        str | None, Query(max_length=320, pattern=PRINTABLE, description="Only mails to this address.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Return the mails that the shop has written, the newest first. No mail leaves this machine."""
    return await commerce.forward(request)
