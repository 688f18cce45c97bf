"""`/v1/auth`: registering, signing in, refreshing, signing out, and the links in mails."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from common.guarded_route import policy
from common.openapi import NOT_FOUND, openapi_problem
from common.problems import describe_problem, problem_response
from common.secret_token import new_token, token_digest
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.throttles import clear_throttles
from producers.services.users import mails, recommendation_mails, registration, sessions, store
from producers.services.users.context import (
    NAME,
    SIGN_IN,
    WRITE_OWN,
    UsersContext,
    client_of,
    context_of,
    guest_of,
    person_of,
)
from producers.services.users.model import PASSWORD_RESET_LIFETIME
from producers.services.users.passwords import check_password
from producers.services.users.problems import LINK_ENDED, UNKNOWN_SESSION, WrongCredentials
from producers.services.users.schemas import (
    ConfirmationRequest,
    EmailRequest,
    MessageResponse,
    NewPasswordRequest,
    PasswordSetResponse,
    RefreshRequest,
    RegistrationRequest,
    SignInRequest,
    TokensResponse,
    UnsubscriptionRequest,
    VerifiedResponse,
)
from producers.services.users.sign_in import confirm_password, sign_in

EXAMPLE_SIGN_IN = {"email": "ana@shop.example", "password": "a long sentence"}
EXAMPLE_TOKEN = {"token": "a token from a mail", "password": "a long sentence"}

ASK_AGAIN = "Ask for another one with POST /v1/auth/password_resets."
CHANGE_AGAIN = "Ask for another one with POST /v1/me/email_changes."

TOO_MANY = openapi_problem(429, "Too many attempts; `Retry-After` says how long to wait.")
SUSPENDED = openapi_problem(403, "An administrator has suspended the account; the detail says why.")
WRONG_LINK_PASSWORD = openapi_problem(
    403, "The password is not that of the person who asked for the mail. The link can still be used."
)
ENDED_LINK = openapi_problem(410, "The link was used before, or it has expired.")

router = APIRouter(prefix="/v1/auth", tags=["identity"], route_class=PublicRoute)

log = structlog.get_logger()

MAIL_FOLLOWS: MessageResponse = {"message": "A mail to this address says what to do next."}


@router.post(
    "/registrations", summary="Register", status_code=202, response_model=MessageResponse, responses=TOO_MANY
)
@policy(SIGN_IN)
async def register(
    request: Request, body: Annotated[RegistrationRequest, JsonBody(EXAMPLE_SIGN_IN | {"name": "Ana"})]
) -> Response:
    """Register. The response is the same whether or not the address has an account. See the mail."""
    await registration.register(transactions(request, NAME), context_of(request), body)
    return json_response(MAIL_FOLLOWS, 202)


@router.post(
    "/verifications",
    summary="Verify an e-mail address",
    response_model=VerifiedResponse,
    responses=WRONG_LINK_PASSWORD | ENDED_LINK | TOO_MANY,
)
@policy(SIGN_IN)
async def verify_email(
    request: Request, body: Annotated[ConfirmationRequest, JsonBody(EXAMPLE_TOKEN)]
) -> Response:
    """Verify an e-mail address with the token of the mail and the password of the registration.

    Its owner can sign in afterwards.
    """
    # The token alone is not enough: anybody can register somebody else's address, and its owner would confirm
    # an account that the other person can open. No session is opened.
    email = await registration.verify(
        transactions(request, NAME),
        context_of(request),
        body,
        client_of(request),
        request.headers.get("traceparent"),
    )
    return json_response({"email": email})


@router.post(
    "/sessions",
    name="sign_in",
    summary="Sign in",
    status_code=201,
    response_model=TokensResponse,
    responses=openapi_problem(401, "The e-mail address or the password is wrong.") | SUSPENDED | TOO_MANY,
)
@policy(SIGN_IN)
async def create_session(
    request: Request, body: Annotated[SignInRequest, JsonBody(EXAMPLE_SIGN_IN)]
) -> Response:
    """Return an access token, valid for 15 minutes, and a refresh token with which you get the next ones.

    Send the `device_token` of the last sign-in on this device: then wrong guesses of others do not slow you.
    """
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


@router.post(
    "/refresh",
    summary="Get a new access token",
    response_model=TokensResponse,
    responses=openapi_problem(401, "The refresh token was used before, or its session has ended.")
    | SUSPENDED
    | TOO_MANY,
)
@policy(SIGN_IN)
async def refresh(
    request: Request, body: Annotated[RefreshRequest, JsonBody({"refresh_token": "your refresh token"})]
) -> Response:
    """Return a new access token and a new refresh token. Using a refresh token twice ends the session."""
    return json_response(
        await sessions.refresh(transactions(request, NAME), context_of(request), body, client_of(request))
    )


@router.delete("/sessions/current", summary="Sign out", status_code=204, responses=NOT_FOUND)
@policy(WRITE_OWN)
async def sign_out(request: Request) -> None:
    """End the session of the access token. The token is refused from now on."""
    session_id = require(principal_of(request).session_id, UNKNOWN_SESSION())
    await sessions.sign_out(transactions(request, NAME), person_of(request), session_id)


@router.post(
    "/password_resets",
    summary="Ask for a new password",
    status_code=202,
    response_model=MessageResponse,
    responses=TOO_MANY,
)
@policy(SIGN_IN)
async def ask_for_password_reset(
    request: Request, body: Annotated[EmailRequest, JsonBody({"email": "ana@shop.example"})]
) -> Response:
    """Ask for a new password. The response is the same whether or not the address has an account."""
    # Both cases run the same statements, so that the time of the response does not tell them apart either.
    email, token, texts = registration.checked_email(body.email), new_token(), context_of(request).mails
    async with transactions(request, NAME).begin(Trace("")) as tx:
        has_account = await mails.insert_mailed_token(
            tx, token_digest(token), email, "password_reset", None, tx.now + PASSWORD_RESET_LIFETIME
        )
        mail = texts.write("password_reset" if has_account else "no_account", email, token)
        await mails.send_mail(tx, mail)
    return json_response(MAIL_FOLLOWS, 202)


@router.post(
    "/password_resets/confirmations",
    summary="Choose a new password",
    response_model=PasswordSetResponse,
    responses=ENDED_LINK | TOO_MANY,
)
@policy(SIGN_IN)
async def reset_password(
    request: Request, body: Annotated[NewPasswordRequest, JsonBody(EXAMPLE_TOKEN)]
) -> Response:
    """Choose a new password with the token of the mail. All sessions end."""
    # If the password can't be chosen, the token can still be used. The device token lets the owner sign in at
    # once while somebody else guesses the password.
    running, context = transactions(request, NAME), context_of(request)
    check_password(body.password, "")
    ended = LINK_ENDED(again=ASK_AGAIN)
    new_hash = await context.passwords.hash(body.password)
    async with running.begin(Trace("")) as tx:
        taken = require(await mails.take_mailed_token(tx, token_digest(body.token), "password_reset"), ended)
        person = require(await store.lock_person(tx, taken.user_id), ended)
        check_password(body.password, person.email)
        await store.set_password(tx, person.user_id, new_hash)
        await mails.delete_mailed_tokens(tx, person.user_id)
        await sessions.end_all_sessions(tx, person.user_id, running.clock())
        await clear_throttles(tx, [context.devices.account(person.email)])
        await mails.send_mail(tx, context.mails.write("password_changed", person.email))
    return json_response({"device_token": context.devices.new(person.email)})


@router.post(
    "/unsubscriptions",
    summary="End mails with recommendations",
    status_code=204,
    responses=ENDED_LINK | TOO_MANY,
)
@policy(SIGN_IN)
async def unsubscribe(
    request: Request, body: Annotated[UnsubscriptionRequest, JsonBody({"token": "a token from a mail"})]
) -> None:
    """End the mails with recommendations with the token of the link in one of them. It needs no sign-in."""
    await recommendation_mails.unsubscribe(transactions(request, NAME), context_of(request), body.token)


@router.post(
    "/email_changes/confirmations",
    summary="Confirm a new e-mail address",
    response_model=VerifiedResponse,
    responses=WRONG_LINK_PASSWORD | ENDED_LINK | TOO_MANY,
)
@policy(SIGN_IN)
async def confirm_email_change(
    request: Request, body: Annotated[ConfirmationRequest, JsonBody(EXAMPLE_TOKEN)]
) -> Response:
    """Confirm a new e-mail address with the token of the mail to it and the password of the account."""
    # The token alone is not enough: anybody can ask for somebody else's address, whose owner would give it to
    # an account that is not theirs. The old address gets a notice.
    running, context, digest = transactions(request, NAME), context_of(request), token_digest(body.token)
    ended = LINK_ENDED(again=CHANGE_AGAIN)
    async with running.connection() as sql:
        asked_by = await mails.find_mailed_token(sql, digest, "email_change", running.clock())
    await confirm_password(running, context, require(asked_by, ended), body.password)
    async with running.begin(Trace("")) as tx:
        taken = require(await mails.take_mailed_token(tx, digest, "email_change"), ended)
        user_id, new_email = taken.user_id, require(taken.new_email, ended)
        person = await store.lock_person(tx, user_id)
        await store.lock_email(tx, new_email)
        if person is None or await store.find_person_by_email(tx.sql, new_email) is not None:
            raise LINK_ENDED(again="The address belongs to another account now.")
        await mails.send_mail(tx, context.mails.write("email_changed", person.email))
        await mails.assign_mails(tx, person)
        await store.set_email(tx, user_id, new_email)
        await mails.delete_mailed_tokens(tx, user_id)
        await registration.delete_registrations(tx, new_email)
    return json_response({"email": new_email})


async def _send_verification_again(
    opened: Transactions, context: UsersContext, email: str, registration_sha256: bytes
) -> None:
    """Send the mail of a registration again. The response is sent already: an error is logged only."""
    try:
        await registration.send_verification_again(opened, context, email, registration_sha256)
    except Exception as error:
        log.error("the mail of a registration was not sent again", exc_info=error)
