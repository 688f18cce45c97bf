"""The pages of an account: profile, orders, sellers, addresses, sessions, security, personal data."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

import orjson
from fastapi import Query, Request
from starlette.responses import Response

from common.content_type import JSON
from common.guarded_route import policy
from common.ids import MAX_ID_LENGTH, PRINTABLE
from common.request_path import in_path
from serving.commerce.commerce_client import CommerceClient, CommerceResponse
from serving.commerce.routes import CommerceDep
from serving.gateway import cookies
from serving.gateway.gateway import identity_of
from serving.kit.names import Names
from serving.kit.stores import NamesDep
from serving.web.account.named_rows import named_sellers, order_rows
from serving.web.account.page import (
    ACCOUNT,
    CHANGE,
    CONFIRM,
    NO_STORE,
    Form,
    change,
    go_to,
    page,
    read,
    read_form,
    refusal,
    sign_browser_out,
    typed,
)
from serving.web.forms import country_code
from serving.web.policy import page_router
from serving.web.translation import gettext

ORDERS_PER_PAGE = 20

ERASE_WORD = "erase"
"""What a person types to confirm that they want to be erased."""

ADDRESS_FIELDS = ("recipient", "street", "city", "state", "postal_code", "country")
OPTIONAL_ADDRESS_FIELDS = frozenset({"state", "postal_code"})

router = page_router(ACCOUNT, "/account")

Cursor = Annotated[str, Query(max_length=200, pattern=PRINTABLE)]


@router.get("")
async def profile_page(request: Request, commerce: CommerceDep, names: NamesDep) -> Response:
    """Return the profile, the first page of the account."""
    return await _profile(request, commerce, names)


@router.post("/profile")
@policy(CHANGE)
async def change_profile(request: Request, commerce: CommerceDep, names: NamesDep) -> Response:
    """Change the name."""
    name = typed(await read_form(request), "name")
    answer = await change(commerce, request, "PATCH", "/v1/me", {"name": name})
    if answer.is_success:
        return go_to("/account", done="profile-saved")
    return await _profile(request, commerce, names, answer)


@router.post("/mails")
@policy(CHANGE)
async def change_mails(request: Request, commerce: CommerceDep, names: NamesDep) -> Response:
    """Agree to mails with recommendations, or end them."""
    wanted = typed(await read_form(request), "recommendations") == "yes"
    answer = await change(commerce, request, "PUT", "/v1/me/recommendation_mails", {"wanted": wanted})
    if answer.is_success:
        return go_to("/account", done="mails-saved")
    return await _profile(request, commerce, names, answer)


@router.get("/orders")
async def account_orders(
    request: Request, commerce: CommerceDep, names: NamesDep, cursor: Cursor = ""
) -> Response:
    """Return the orders of the person, the newest first; with a cursor, those that follow."""
    target = f"/v1/orders?limit={ORDERS_PER_PAGE}" + (f"&cursor={quote(cursor, safe='')}" if cursor else "")
    found = await read(commerce, request, target)
    rows = await order_rows(found["orders"], names)
    return page(
        request, "account_orders.html", orders=rows, next_cursor=found["next_cursor"], is_first=not cursor
    )


@router.get("/addresses")
async def addresses_page(request: Request, commerce: CommerceDep) -> Response:
    """Return the postal addresses, each with its form, and a form for a new one."""
    return await _addresses(request, commerce)


@router.post("/addresses")
@policy(CHANGE)
async def save_address(request: Request, commerce: CommerceDep) -> Response:
    """Save an address, changed or new."""
    form = await read_form(request)
    address_id = typed(form, "address_id") or str(uuid4())
    target = f"/v1/me/addresses/{in_path(address_id)}"
    answer = await change(commerce, request, "PUT", target, _address(form))
    if answer.is_success:
        return go_to("/account/addresses", done="address-saved")
    edited = {name: typed(form, name) for name in ("address_id", *ADDRESS_FIELDS)}
    return await _addresses(request, commerce, answer, edited)


@router.post("/addresses/{address_id}/deletion")
@policy(CHANGE)
async def delete_address(request: Request, commerce: CommerceDep, address_id: str) -> Response:
    """Delete an address."""
    await read_form(request)
    target = f"/v1/me/addresses/{in_path(address_id)}"
    answer = await change(commerce, request, "DELETE", target)
    if answer.is_success:
        return go_to("/account/addresses", done="address-deleted")
    return await _addresses(request, commerce, answer)


@router.get("/sessions")
async def sessions_page(request: Request, commerce: CommerceDep) -> Response:
    """Return the sessions of the person."""
    return await _sessions(request, commerce)


@router.post("/sessions/{session_id}/end")
@policy(CHANGE)
async def end_session(request: Request, commerce: CommerceDep, session_id: str) -> Response:
    """End a session. Ending the current one signs this browser out."""
    await read_form(request)
    answer = await change(commerce, request, "DELETE", f"/v1/me/sessions/{in_path(session_id)}")
    if not answer.is_success:
        return await _sessions(request, commerce, answer)
    person = identity_of(request).signed_in
    if person is not None and person.session_id == session_id:
        return sign_browser_out(request, go_to("/sign-in", done="signed-out"))
    return go_to("/account/sessions", done="session-ended")


@router.get("/security")
async def security_page(request: Request, commerce: CommerceDep) -> Response:
    """Return the forms that change the password and the e-mail address."""
    return await _security(request, commerce)


@router.post("/password")
@policy(CONFIRM)
async def change_password(request: Request, commerce: CommerceDep) -> Response:
    """Set a new password. All other sessions end."""
    form = await read_form(request)
    body = {"password": form.get("password", ""), "new_password": form.get("new_password", "")}
    answer = await change(commerce, request, "POST", "/v1/me/password", body)
    if answer.is_success:
        return go_to("/account/security", done="password-changed")
    return await _security(request, commerce, answer, failed="password")


@router.post("/email")
@policy(CONFIRM)
async def change_email(request: Request, commerce: CommerceDep) -> Response:
    """Ask for another e-mail address. It is used once the link in the mail is followed."""
    form = await read_form(request)
    body = {"email": typed(form, "email"), "password": form.get("password", "")}
    answer = await change(commerce, request, "POST", "/v1/me/email_changes", body)
    if answer.is_success:
        return go_to("/account/security", done="email-requested")
    return await _security(request, commerce, answer, failed="email", new_email=body["email"])


@router.get("/data")
async def personal_data_page(request: Request, commerce: CommerceDep) -> Response:
    """Return the page to export what is kept of the person, and to erase the account."""
    return await _personal_data(request, commerce)


@router.get("/export")
async def export(request: Request, commerce: CommerceDep) -> Response:
    """Return all that is kept of the person, as a file."""
    content = orjson.dumps(await read(commerce, request, "/v1/me/export"), option=orjson.OPT_INDENT_2)
    disposition = 'attachment; filename="souk-export.json"'
    return Response(content, 200, {**NO_STORE, "Content-Disposition": disposition}, JSON)


@router.post("/erasure")
@policy(CONFIRM)
async def erase(request: Request, commerce: CommerceDep) -> Response:
    """Erase the person, who has typed a word and the password."""
    form = await read_form(request)
    if typed(form, "confirmation").lower() != ERASE_WORD:
        missing = gettext("Type “%(word)s” to confirm. Nothing was changed.", word=ERASE_WORD)
        return await _personal_data(request, commerce, CommerceResponse(422, {"detail": missing}))
    body = {"password": form.get("password", "")}
    answer = await change(commerce, request, "POST", "/v1/me/erasure", body)
    if not answer.is_success:
        return await _personal_data(request, commerce, answer)
    response = sign_browser_out(request, go_to("/sign-in", done="erased"))
    response.delete_cookie(cookies.DEVICE, httponly=True, samesite="lax")
    return response


async def _profile(
    request: Request,
    commerce: CommerceClient,
    names: Names,
    answer: CommerceResponse | None = None,
) -> Response:
    me = await read(commerce, request, "/v1/me")
    mails = await read(commerce, request, "/v1/me/recommendation_mails")
    sellers = await named_sellers(sorted(me["sellers"]), names)
    return _page(request, "account.html", answer, me=me, mails=mails, sellers=sellers)


async def _addresses(
    request: Request,
    commerce: CommerceClient,
    answer: CommerceResponse | None = None,
    edited: dict[str, str] | None = None,
) -> Response:
    """Return the addresses; `edited` is the one whose form is shown again, with what was typed."""
    found = await read(commerce, request, "/v1/me/addresses")
    blank = dict.fromkeys(ADDRESS_FIELDS, "")
    return _page(request, "addresses.html", answer, addresses=found, edited=edited, blank=blank)


async def _sessions(
    request: Request, commerce: CommerceClient, answer: CommerceResponse | None = None
) -> Response:
    found = [
        {
            **session,
            "created_at": datetime.fromisoformat(session["created_at"]),
            "last_used_at": datetime.fromisoformat(session["last_used_at"]),
        }
        for session in await read(commerce, request, "/v1/me/sessions")
    ]
    return _page(request, "sessions.html", answer, sessions=found)


async def _security(
    request: Request,
    commerce: CommerceClient,
    answer: CommerceResponse | None = None,
    failed: str = "",
    new_email: str = "",
) -> Response:
    """Return the forms; `failed` is the one to which the refusal belongs."""
    me = await read(commerce, request, "/v1/me")
    return _page(request, "security.html", answer, me=me, failed=failed, new_email=new_email)


async def _personal_data(
    request: Request, commerce: CommerceClient, answer: CommerceResponse | None = None
) -> Response:
    me = await read(commerce, request, "/v1/me")
    return _page(request, "personal_data.html", answer, me=me, erase_word=ERASE_WORD)


def _page(request: Request, template: str, answer: CommerceResponse | None, **shown: Any) -> Response:
    """Return a page of the account, with the refusal of a form if there is one."""
    if answer is None:
        return page(request, template, **shown)
    return page(request, template, answer.status, error=refusal(answer.content), **shown)


def _address(form: Form) -> dict[str, str]:
    fields = {name: typed(form, name) for name in ADDRESS_FIELDS}
    fields["country"] = country_code(fields["country"])
    return {name: value for name, value in fields.items() if value or name not in OPTIONAL_ADDRESS_FIELDS}


@router.get("/sellers")
async def followed_page(
    request: Request,
    commerce: CommerceDep,
    names: NamesDep,
    seller_id: Annotated[str, Query(max_length=MAX_ID_LENGTH, pattern=PRINTABLE)] = "",
) -> Response:
    """Return the sellers that the person follows; with a seller, also the button to follow them."""
    return await _followed(request, commerce, names, seller_id)


@router.post("/sellers")
@policy(CHANGE)
async def follow_on_page(request: Request, commerce: CommerceDep, names: NamesDep) -> Response:
    """Follow a seller."""
    seller_id = typed(await read_form(request), "seller_id")
    answer = await change(commerce, request, "PUT", _target(seller_id))
    if answer.is_success:
        return go_to("/account/sellers", done="seller-followed")
    return await _followed(request, commerce, names, "", answer)


@router.post("/sellers/{seller_id}/end")
@policy(CHANGE)
async def unfollow_on_page(
    request: Request, commerce: CommerceDep, names: NamesDep, seller_id: str
) -> Response:
    """Follow a seller no more."""
    await read_form(request)
    answer = await change(commerce, request, "DELETE", _target(seller_id))
    if answer.is_success:
        return go_to("/account/sellers", done="seller-unfollowed")
    return await _followed(request, commerce, names, "", answer)


def _target(seller_id: str) -> str:
    return f"/v1/me/followed_sellers/{in_path(seller_id)}"


async def _followed(
    request: Request,
    commerce: CommerceClient,
    names: Names,
    seller_id: str,
    answer: CommerceResponse | None = None,
) -> Response:
    found = await read(commerce, request, "/v1/me/followed_sellers")
    followed = [seller["seller_id"] for seller in found["sellers"]]
    new = [seller_id] if seller_id and seller_id not in followed else []
    sellers = await named_sellers([*new, *followed], names)
    return page(
        request,
        "followed_sellers.html",
        answer.status if answer else 200,
        new=sellers[: len(new)],
        followed=sellers[len(new) :],
        error=refusal(answer.content) if answer else None,
    )
