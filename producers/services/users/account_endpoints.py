"""`/v1/me`: a person's own account."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Id, Uuid
from common.openapi import NOT_FOUND, openapi_problem
from common.secret_token import new_token, token_digest
from producers.kit.erasures import ask_to_forget
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute
from producers.kit.outbox.trace import Trace
from producers.kit.requests.sender import wait_until_answered
from producers.kit.throttles import clear_throttles
from producers.services.users import mails, problems, sessions, store
from producers.services.users.auth_endpoints import EXAMPLE_SIGN_IN, MAIL_FOLLOWS, TOO_MANY
from producers.services.users.context import CONFIRM, NAME, READ_OWN, WRITE_OWN, context_of, person_of
from producers.services.users.followed_sellers import find_followed
from producers.services.users.model import EMAIL_CHANGE_LIFETIME, MAX_ADDRESSES, REVOCATION_LIFETIME
from producers.services.users.passwords import check_password
from producers.services.users.pseudonyms import erase_pseudonym, find_shopper_ids
from producers.services.users.recommendation_mails import (
    Agreement,
    find_agreement,
    want_recommendation_mails,
)
from producers.services.users.registration import checked_email, delete_registrations
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
from producers.services.users.sign_in import confirm_password, find_sign_ins
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
    user_id = person_of(request)
    async with transactions(request, NAME).connection() as sql:
        person = await store.require_person(sql, user_id)
        (shopper_id, *_) = await find_shopper_ids(sql, context_of(request).pseudonyms, person, 0)
        sellers = await store.find_memberships(sql, user_id)
    return json_response(sessions.present_user(person, shopper_id, sellers))


@router.patch("", summary="Change your name", response_model=UserResponse)
@policy(WRITE_OWN)
async def change_me(
    request: Request, body: Annotated[ProfileRequest, JsonBody({"name": "Ana Lima"})]
) -> Response:
    """Change your name."""
    user_id = person_of(request)
    async with transactions(request, NAME).begin(Trace("")) as tx:
        await store.set_name(tx, user_id, body.name)
    return await me(request)


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
) -> None:
    """Choose a new password. All other sessions end."""
    running, context, user_id = transactions(request, NAME), context_of(request), person_of(request)
    person = await confirm_password(running, context, user_id, body.password)
    check_password(body.new_password, person.email)
    new_hash = await context.passwords.hash(body.new_password)
    async with running.begin(Trace("")) as tx:
        locked = await store.lock_person(tx, user_id)
        if locked is None or locked.password_hash != person.password_hash:
            raise problems.WRONG_PASSWORD()  # it was changed meanwhile
        await store.set_password(tx, user_id, new_hash)
        await mails.delete_mailed_tokens(tx, user_id)
        await sessions.end_sessions(tx, user_id, running.clock(), principal_of(request).session_id)
        await mails.send_mail(tx, context.mails.write("password_changed", locked.email))


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
    # If the new address belongs to somebody, the mail says so, and not the response.
    running, context, user_id = transactions(request, NAME), context_of(request), person_of(request)
    new_email, token = checked_email(body.email), new_token()
    person = await confirm_password(running, context, user_id, body.password)
    async with running.begin(Trace("")) as tx:
        if await store.find_person_by_email(tx.sql, new_email) is not None:
            await mails.send_mail(tx, context.mails.write("already_registered", new_email))
        elif await mails.send_mail(tx, context.mails.write("email_change", new_email, token), user_id):
            expires_at = tx.now + EMAIL_CHANGE_LIFETIME
            await mails.insert_mailed_token(
                tx, token_digest(token), person.email, "email_change", new_email, expires_at
            )
    return json_response(MAIL_FOLLOWS, 202)


@router.get("/sessions", summary="Your sessions", response_model=list[SessionResponse])
@policy(READ_OWN)
async def my_sessions(request: Request) -> Response:
    """Return the sessions that have not ended, the last used first."""
    current, running = principal_of(request).session_id, transactions(request, NAME)
    async with running.connection() as sql:
        found = await sessions.find_sessions(sql, person_of(request), running.clock())
    return json_response(
        [SessionResponse(**asdict(each), current=each.session_id == current) for each in found]
    )


@router.delete("/sessions/{session_id}", summary="End a session", status_code=204)
@policy(WRITE_OWN)
async def end_my_session(request: Request, session_id: SessionId) -> None:
    """End a session, such as that of a lost device."""
    await sessions.sign_out(transactions(request, NAME), person_of(request), session_id)


@router.get(
    "/recommendation_mails",
    summary="Whether you get mails with recommendations",
    response_model=RecommendationMailsResponse,
)
@policy(READ_OWN)
async def my_recommendation_mails(request: Request) -> Response:
    """Return whether you get a weekly mail with recommendations, and since when you have agreed to it."""
    async with transactions(request, NAME).connection() as sql:
        return _agreed(await find_agreement(sql, person_of(request)))


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
    running, user_id = transactions(request, NAME), person_of(request)
    return _agreed(await want_recommendation_mails(running, user_id, wanted=body.wanted))


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
    address, user_id = Address(address_id, **body.model_dump()), person_of(request)
    async with transactions(request, NAME).begin(Trace("")) as tx:
        await store.require_locked_person(tx, user_id)
        saved = {each.address_id for each in await store.find_addresses(tx.sql, user_id)}
        if len(saved - {address_id}) >= MAX_ADDRESSES:
            raise problems.TOO_MANY_ADDRESSES()
        await store.save_address(tx, user_id, address)
    return json_response(address)


@router.delete("/addresses/{address_id}", summary="Delete an address", status_code=204)
@policy(WRITE_OWN)
async def delete_my_address(request: Request, address_id: AddressId) -> None:
    """Delete a postal address."""
    user_id = person_of(request)
    async with transactions(request, NAME).begin(Trace("")) as tx:
        require(await store.delete_address(tx, user_id, address_id), problems.UNKNOWN_ADDRESS())


@router.get("/export", summary="Everything that is kept of you", response_model=dict[str, Any])
@policy(READ_OWN)
async def export_me(request: Request) -> Response:
    """Return all that the shop keeps of you: profile, addresses, sessions, mails, orders, reviews, cart."""
    # Neither the password's hash nor a token is in it.
    running, context, user_id = transactions(request, NAME), context_of(request), person_of(request)
    async with running.connection() as sql:
        person = await store.require_person(sql, user_id)
        sellers = await store.find_memberships(sql, user_id)
        shopper_ids = await find_shopper_ids(sql, context.pseudonyms, person, None)
        exported = {
            "exported_at": running.clock(),
            "profile": {
                "user_id": person.user_id,
                "email": person.email,
                "name": person.name,
                "roles": sorted(sessions.roles_of(person.role, sellers)),
                "verified_at": person.verified_at,
                "shopper_id": shopper_ids[0],
                "guest_ids": list(shopper_ids[1:]),
                "sellers": sellers,
                "former_sellers": await store.find_former_memberships(sql, user_id),
            },
            "addresses": await store.find_addresses(sql, user_id),
            "sessions": await sessions.find_all_sessions(sql, user_id),
            "sign_ins": await find_sign_ins(sql, user_id),
            "mails": await mails.find_mails_of_person(sql, person),
            "mails_with_recommendations": await find_agreement(sql, user_id),
            "followed_sellers": await find_followed(sql, user_id),
        }
    subscriptions = await context.peers.ask("alerts", f"/v1/alert_subscriptions/{user_id}")
    orders = await context.peers.ask("orders", "/v1/orders/exports", {"shopper_ids": shopper_ids})
    reviews = await context.peers.ask("reviews", "/v1/reviews/exports", {"shopper_ids": shopper_ids})
    cart = await context.peers.ask("carts", "/v1/cart/exports", {"shopper_ids": shopper_ids})
    exported |= {"mails_about_sellers": subscriptions["subscriptions"], "orders": orders["orders"]}
    exported |= {**reviews, **cart}
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
) -> None:
    """Erase your account. This can't be undone. Orders stay, without anything that links them to you."""
    # Nothing in any store names the user id or the e-mail address afterwards. The other services forget the
    # person when they answer (`producers/kit/erasures.py`), which is soon unless they are away. Orders,
    # topics and facts keep the shopper id, so that figures stay right. Without the person's key, nothing
    # links it to a person (docs/decisions/erasure.md). `shopper_erased` tells other systems.
    running, context, user_id = transactions(request, NAME), context_of(request), person_of(request)
    person = await confirm_password(running, context, user_id, body.password)
    async with running.connection() as sql:
        (shopper_id, *_) = await find_shopper_ids(sql, context.pseudonyms, person, 0)
    async with running.begin(Trace.start(shopper_id, request.headers.get("traceparent"))) as tx:
        await store.require_other_admin(tx, user_id)
        locked = await store.require_locked_person(tx, user_id)
        now = running.clock()
        # Revocations name sessions here, not the person, because they are kept for a while.
        await sessions.delete_revocations(tx, user_id)
        for session in await sessions.find_all_sessions(tx.sql, user_id):
            if session["last_used_at"] > now - REVOCATION_LIFETIME:
                await sessions.revoke_access(tx, now, session_id=session["session_id"])
        for email in {person.email, locked.email}:
            ask_to_forget(tx, user_id, email)
            await mails.delete_mails(tx, email)
            await delete_registrations(tx, email)
            await clear_throttles(tx, [context.devices.account(email), context.devices.signed_in(email)])
        await store.delete_person(tx, user_id)
        await erase_pseudonym(tx, shopper_id)
        tx.emit("shopper_erased", shopper_id=shopper_id)
    await wait_until_answered(running, tx)


def _agreed(agreement: Agreement | None) -> Response:
    present: RecommendationMailsResponse = {
        "wanted": agreement is not None,
        "agreed_at": agreement.agreed_at if agreement else None,
    }
    return json_response(present)
