"""`/v1/auth`: registering, signing in, refreshing, signing out, and the links in mails."""

import structlog
from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from common.guarded_route import guarded
from common.problems import describe_problem, problem_response
from producers.http.endpoint import json_response, parse_body, transactions
from producers.http.guard import principal_of
from producers.outbox.transaction import Transactions
from producers.users import account, registration, sessions
from producers.users.context import UsersContext
from producers.users.policy import POLICIES
from producers.users.problems import UnknownSession, WrongCredentials
from producers.users.requests import NAME, client_of, context_of, guest_of, person_of
from producers.users.schemas import (
    CONFIRMATION_REQUEST,
    EMAIL_REQUEST,
    NEW_PASSWORD_REQUEST,
    REFRESH_REQUEST,
    REGISTRATION_REQUEST,
    SIGN_IN_REQUEST,
    UNSUBSCRIPTION_REQUEST,
    MessageResponse,
    PasswordSetResponse,
    TokensResponse,
    VerifiedResponse,
)
from producers.users.sign_in import sign_in

router = APIRouter(prefix="/v1/auth", route_class=guarded(POLICIES))

log = structlog.get_logger()

MAIL_FOLLOWS: MessageResponse = {"message": "A mail to this address says what to do next."}


@router.post("/registrations", status_code=202, response_model=MessageResponse)
async def create_registration(request: Request) -> Response:
    """Register. The response is the same whether or not the address has an account; a mail tells which."""
    body = await parse_body(request, REGISTRATION_REQUEST)
    await registration.register(transactions(request, NAME), context_of(request), body)
    return json_response(MAIL_FOLLOWS, 202)


@router.post("/verifications", response_model=VerifiedResponse)
async def create_verification(request: Request) -> Response:
    """Verify an e-mail address with the token of the mail and the password of the registration.

    The token alone is not enough: anybody can register somebody else's address, and its owner would confirm
    an account that the other person can open. No session is opened. The person signs in as always.
    """
    body = await parse_body(request, CONFIRMATION_REQUEST)
    email = await registration.verify(
        transactions(request, NAME),
        context_of(request),
        body,
        client_of(request),
        request.headers.get("traceparent"),
    )
    return json_response({"email": email})


@router.post("/sessions", status_code=201, response_model=TokensResponse)
async def create_session(request: Request) -> Response:
    """Sign in. With the device token of the last sign-in on this device, others' guesses slow nothing."""
    body = await parse_body(request, SIGN_IN_REQUEST)
    opened, context = transactions(request, NAME), context_of(request)
    client, guest_id = client_of(request, body.device), guest_of(request, body.guest_session)
    try:
        return json_response(await sign_in(opened, context, body, client, guest_id), 201)
    except WrongCredentials as refused:
        response = problem_response(request, describe_problem(refused))
        if refused.registration_sha256 is not None:
            response.background = BackgroundTask(
                _send_verification_again, opened, context, body.email, refused.registration_sha256
            )
        return response


@router.post("/refresh", response_model=TokensResponse)
async def refresh_session(request: Request) -> Response:
    """Get a new access token and a new refresh token. A refresh token that was used before ends the session.

    A browser sends `browser: true`. If another tab of it has just refreshed, it gets an access token only.
    """
    body = await parse_body(request, REFRESH_REQUEST)
    return json_response(
        await sessions.refresh(transactions(request, NAME), context_of(request), body, client_of(request))
    )


@router.delete("/sessions/current", status_code=204, response_class=Response)
async def end_current_session(request: Request) -> Response:
    """Sign out: end the session of the access token."""
    session_id = principal_of(request).session_id
    if session_id is None:
        raise UnknownSession
    await sessions.sign_out(transactions(request, NAME), person_of(request), session_id)
    return Response(status_code=204)


@router.post("/password_resets", status_code=202, response_model=MessageResponse)
async def create_password_reset(request: Request) -> Response:
    """Ask for a new password. The response is the same whether or not the address has an account."""
    body = await parse_body(request, EMAIL_REQUEST)
    await account.request_password_reset(transactions(request, NAME), context_of(request), body.email)
    return json_response(MAIL_FOLLOWS, 202)


@router.post("/password_resets/confirmations", response_model=PasswordSetResponse)
async def confirm_password_reset(request: Request) -> Response:
    """Choose a new password with the token of the mail. All sessions end."""
    body = await parse_body(request, NEW_PASSWORD_REQUEST)
    device_token = await account.reset_password(transactions(request, NAME), context_of(request), body)
    return json_response({"device_token": device_token})


@router.post("/unsubscriptions", status_code=204, response_class=Response)
async def create_unsubscription(request: Request) -> Response:
    """End the mails with recommendations with the token of one of them."""
    body = await parse_body(request, UNSUBSCRIPTION_REQUEST)
    await account.unsubscribe(transactions(request, NAME), context_of(request), body.token)
    return Response(status_code=204)


@router.post("/email_changes/confirmations", response_model=VerifiedResponse)
async def confirm_email_change(request: Request) -> Response:
    """Confirm a new e-mail address with the token of the mail and the password of the account.

    The token alone is not enough: anybody can ask for somebody else's address, whose owner would give it to
    an account that is not theirs.
    """
    body = await parse_body(request, CONFIRMATION_REQUEST)
    email = await account.change_email(transactions(request, NAME), context_of(request), body)
    return json_response({"email": email})


async def _send_verification_again(
    opened: Transactions, context: UsersContext, email: str, registration_sha256: bytes
) -> None:
    """Send the mail of a registration again. The response is sent already: an error is logged only."""
    try:
        await registration.send_verification_again(opened, context, email, registration_sha256)
    except Exception as error:
        log.error("the mail of a registration was not sent again", exc_info=error)
