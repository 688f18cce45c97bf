"""The pages of an account: profile, orders, sellers, addresses, sessions, security, personal data."""

from datetime import datetime
from typing import Annotated
from uuid import uuid4

import orjson
from fastapi import Query, Request
from starlette.responses import Response

from common.content_type import JSON
from common.guarded_route import policy
from common.ids import MAX_ID_LENGTH, PRINTABLE
from common.problems import Problem
from serving.gateway import cookies
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.kit.stores import Stores
from serving.web.account.named_rows import named_sellers, order_rows
from serving.web.account.page import (
    ACCOUNT,
    CHANGE,
    CONFIRM,
    account_action,
    go_to,
    page,
    read,
    sign_browser_out,
)
from serving.web.forms import NO_STORE, BadField, Form, send, sending
from serving.web.policy import page_router
from serving.web.service_calls import ask, body_schema
from serving.web.translation import gettext

ORDERS_PER_PAGE = 20

ERASE_WORD = "erase"
"""What a person types to confirm that they want to be erased."""

ADDRESS = "/v1/me/addresses/{address_id}"
FOLLOWED = "/v1/me/followed_sellers"

router = page_router(ACCOUNT, "/account")

Cursor = Annotated[str, Query(max_length=200, pattern=PRINTABLE)]


@router.get("")
async def profile_page(request: Request) -> Response:
    """Return the profile, the first page of the account."""
    return await _profile(request)


@router.post("/profile")
@policy(CHANGE)
async def change_profile(request: Request) -> Response:
    """Change the name."""
    change = sending(request, "PATCH", "/v1/me")
    return await account_action(request, change, _profile, "/account", "profile-saved")


@router.post("/mails")
@policy(CHANGE)
async def change_mails(request: Request) -> Response:
    """Agree to mails with recommendations, or end them."""

    async def change(form: Form) -> None:
        wanted = form.text("recommendations") == "yes"
        await ask(request, "PUT", "/v1/me/recommendation_mails", {"wanted": wanted})

    return await account_action(request, change, _profile, "/account", "mails-saved")


async def _profile(
    request: Request, problem: Problem | None = None, _entered: Form | None = None
) -> Response:
    me = await read(request, "/v1/me")
    mails = await read(request, "/v1/me/recommendation_mails")
    sellers = await named_sellers(sorted(me["sellers"]), opened(request, Stores).names)
    return page(request, "account.html", problem, me=me, mails=mails, sellers=sellers)


@router.get("/orders")
async def account_orders(request: Request, cursor: Cursor = "") -> Response:
    """Return the orders of the person, the newest first; with a cursor, those that follow."""
    shown = {"limit": str(ORDERS_PER_PAGE), "cursor": cursor or None}
    found = await read(request, "/v1/orders", shown)
    rows = await order_rows(found["orders"], opened(request, Stores).names)
    return page(
        request, "account_orders.html", orders=rows, next_cursor=found["next_cursor"], is_first=not cursor
    )


@router.get("/sellers")
async def followed_page(
    request: Request,
    seller_id: Annotated[str, Query(max_length=MAX_ID_LENGTH, pattern=PRINTABLE)] = "",
) -> Response:
    """Return the sellers that the person follows; with a seller, also the button to follow them."""
    return await _followed(request, seller_id=seller_id)


@router.post("/sellers")
@policy(CHANGE)
async def follow_on_page(request: Request) -> Response:
    """Follow a seller."""

    async def follow(form: Form) -> None:
        await ask(request, "PUT", f"{FOLLOWED}/{{seller_id}}", seller_id=form.text("seller_id"))

    return await account_action(request, follow, _followed, "/account/sellers", "seller-followed")


@router.post("/sellers/{seller_id}/end")
@policy(CHANGE)
async def unfollow_on_page(request: Request, seller_id: str) -> Response:
    """Follow a seller no more."""
    unfollow = sending(request, "DELETE", f"{FOLLOWED}/{{seller_id}}")
    return await account_action(request, unfollow, _followed, "/account/sellers", "seller-unfollowed")


async def _followed(
    request: Request, problem: Problem | None = None, _entered: Form | None = None, seller_id: str = ""
) -> Response:
    found = await read(request, FOLLOWED)
    followed = [seller["seller_id"] for seller in found["sellers"]]
    new = [seller_id] if seller_id and seller_id not in followed else []
    sellers = await named_sellers([*new, *followed], opened(request, Stores).names)
    return page(
        request,
        "followed_sellers.html",
        problem,
        new=sellers[: len(new)],
        followed=sellers[len(new) :],
    )


@router.get("/addresses")
async def addresses_page(request: Request) -> Response:
    """Return the postal addresses, each with its form, and a form for a new one."""
    return await _addresses(request)


@router.post("/addresses")
@policy(CHANGE)
async def save_address(request: Request) -> Response:
    """Save an address, changed or new."""

    async def save(form: Form) -> None:
        address_id = form.text("address_id") or str(uuid4())
        await ask(request, "PUT", ADDRESS, form.body("PUT", ADDRESS), address_id=address_id)

    return await account_action(request, save, _addresses, "/account/addresses", "address-saved")


@router.post("/addresses/{address_id}/deletion")
@policy(CHANGE)
async def delete_address(request: Request, address_id: str) -> Response:
    """Delete an address."""
    delete = sending(request, "DELETE", ADDRESS)
    return await account_action(request, delete, _addresses, "/account/addresses", "address-deleted")


async def _addresses(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    """Return the addresses; the one whose form was refused is shown again, with what was typed."""
    found, names = await read(request, "/v1/me/addresses"), tuple(body_schema("PUT", ADDRESS))
    is_edited = entered is not None and bool(entered.fields)
    edited = {name: entered.text(name) for name in ("address_id", *names)} if entered and is_edited else None
    return page(
        request, "addresses.html", problem, addresses=found, edited=edited, blank=dict.fromkeys(names, "")
    )


@router.get("/sessions")
async def sessions_page(request: Request) -> Response:
    """Return the sessions of the person."""
    return await _sessions(request)


@router.post("/sessions/{session_id}/end")
@policy(CHANGE)
async def end_session(request: Request, session_id: str) -> Response:
    """End a session. Ending the current one signs this browser out."""
    person = identity_of(request).signed_in

    async def end(_form: Form) -> Response | None:
        await ask(request, "DELETE", "/v1/me/sessions/{session_id}")
        if person is not None and person.session_id == session_id:
            return sign_browser_out(request, go_to("/sign-in", done="signed-out"))
        return None

    return await account_action(request, end, _sessions, "/account/sessions", "session-ended")


async def _sessions(
    request: Request, problem: Problem | None = None, _entered: Form | None = None
) -> Response:
    found = [
        {
            **session,
            "created_at": datetime.fromisoformat(session["created_at"]),
            "last_used_at": datetime.fromisoformat(session["last_used_at"]),
        }
        for session in await read(request, "/v1/me/sessions")
    ]
    return page(request, "sessions.html", problem, sessions=found)


@router.get("/security")
async def security_page(request: Request) -> Response:
    """Return the forms that change the password and the e-mail address."""
    return await _security(request)


@router.post("/password")
@policy(CONFIRM)
async def change_password(request: Request) -> Response:
    """Set a new password. All other sessions end."""
    change = sending(request, "POST", "/v1/me/password")
    return await account_action(request, change, _security, "/account/security", "password-changed")


@router.post("/email")
@policy(CONFIRM)
async def change_email(request: Request) -> Response:
    """Ask for another e-mail address. It is used once the link in the mail is followed."""
    change = sending(request, "POST", "/v1/me/email_changes")
    return await account_action(request, change, _security, "/account/security", "email-requested")


async def _security(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    return page(request, "security.html", problem, entered, me=await read(request, "/v1/me"))


@router.get("/data")
async def personal_data_page(request: Request) -> Response:
    """Return the page to export what is kept of the person, and to erase the account."""
    return await _personal_data(request)


@router.get("/export")
async def export(request: Request) -> Response:
    """Return all that is kept of the person, as a file."""
    content = orjson.dumps(await read(request, "/v1/me/export"), option=orjson.OPT_INDENT_2)
    disposition = 'attachment; filename="souk-export.json"'
    return Response(content, 200, {**NO_STORE, "Content-Disposition": disposition}, JSON)


@router.post("/erasure")
@policy(CONFIRM)
async def erase(request: Request) -> Response:
    """Erase the person, who has typed a word and the password."""

    async def erase_person(form: Form) -> Response:
        if form.text("confirmation").lower() != ERASE_WORD:
            raise BadField(gettext("Type “%(word)s” to confirm. Nothing was changed.", word=ERASE_WORD))
        await send(request, form, "POST", "/v1/me/erasure")
        response = sign_browser_out(request, go_to("/sign-in", done="erased"))
        response.delete_cookie(cookies.DEVICE, httponly=True, samesite="lax")
        return response

    return await account_action(request, erase_person, _personal_data)


async def _personal_data(
    request: Request, problem: Problem | None = None, _entered: Form | None = None
) -> Response:
    me = await read(request, "/v1/me")
    return page(request, "personal_data.html", problem, me=me, erase_word=ERASE_WORD)
