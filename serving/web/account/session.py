"""The session of a browser: renewed, ended, and shown to the script of the pages."""

import asyncio
from typing import Annotated, Any

import orjson
import structlog
from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from common.content_type import JSON
from common.errors import PartUnavailable
from common.guarded_route import policy
from common.principal import Principal
from serving.commerce.commerce_client import CommerceClient
from serving.commerce.routes import CommerceDep, CommerceDomain
from serving.gateway import cookies
from serving.gateway.access_tokens import TokenRefused
from serving.gateway.gateway import GatewayDomain, identity_of
from serving.gateway.identity import check_origin
from serving.gateway.sign_in_redirect import page_of_form, safe_target
from serving.kit.domain import opened
from serving.kit.request_body import read_body
from serving.kit.stores import NamesDep
from serving.web.account.named_rows import named_sellers
from serving.web.account.page import PAGE, SIGN_IN, go_to, sign_browser_out
from serving.web.forms import FORM_LIMIT, NO_STORE
from serving.web.policy import page_router

MENU_TIMEOUT_S = 1.0
"""After this time, the menu of a person shows no name."""

MAX_SELLERS_IN_MENU = 5

log = structlog.get_logger()

router = page_router(PAGE)


@router.get("/session/refresh")
@policy(SIGN_IN)
async def refresh_for_page(
    request: Request, commerce: CommerceDep, target: Annotated[str, Query(alias="next", max_length=2000)] = ""
) -> Response:
    """Renew the session of a person who opens a page, and go on to the page; without a session, sign in."""
    tokens = await _refresh(request, commerce)
    if tokens is None:
        return sign_browser_out(request, go_to("/sign-in", next=safe_target(target)))
    response = go_to(safe_target(target))
    cookies.set_tokens(request, response, tokens)
    return response


@router.post("/session/refresh")
@policy(SIGN_IN)
async def refresh_for_script(request: Request, commerce: CommerceDep) -> Response:
    """Renew the session of an open page: 204. Without a session, 401."""
    check_origin(request)
    tokens = await _refresh(request, commerce)
    if tokens is None:
        return sign_browser_out(request, Response(status_code=401))
    response = Response(status_code=204)
    cookies.set_tokens(request, response, tokens)
    return response


@router.post("/session/resend")
@policy(SIGN_IN)
async def renew_for_form(
    request: Request, commerce: CommerceDep, target: Annotated[str, Query(alias="next", max_length=2000)] = ""
) -> Response:
    """Renew the session of a person who has sent a form, and let the browser send the form again.

    The browser sends the same body to each address of a 307, so that nothing of it is kept here. Without a
    session, and if the browser has not kept the token of a renewal just now, sign in; the form is lost.
    """
    check_origin(request)
    await read_body(request, FORM_LIMIT)
    is_loop = cookies.RENEWED in request.cookies
    tokens = None if is_loop else await _refresh(request, commerce)
    if tokens is None:
        return sign_browser_out(request, go_to("/sign-in", next=page_of_form(request)))
    response = RedirectResponse(safe_target(target), 307, NO_STORE)
    cookies.set_tokens(request, response, tokens)
    cookies.set_renewed(request, response)
    return response


@router.get("/session/me")
async def me(request: Request, commerce: CommerceDep, names: NamesDep) -> Response:
    """Return who is signed in, for the menu. Pages that are the same for everybody do not contain it."""
    person = identity_of(request).signed_in
    content: dict[str, Any] = {"signed_in": person is not None, "name": None, "sellers": [], "admin": False}
    if person is not None:
        name, sellers = await asyncio.gather(
            _name(request, commerce), named_sellers(sorted(person.sellers)[:MAX_SELLERS_IN_MENU], names)
        )
        content |= {
            "name": name,
            "sellers": [
                {**seller, "packs_only": person.sellers[str(seller["seller_id"])] == "fulfilment"}
                for seller in sellers
            ],
            "admin": "admin" in person.roles,
        }
    return Response(orjson.dumps(content), 200, NO_STORE, JSON)


@router.post("/sign-out")
async def sign_out(request: Request, commerce: CommerceDep) -> Response:
    """End the session of this browser.

    If the access token has ended, the browser repeats the request to a page that gets the refresh token.
    """
    check_origin(request)
    identity = identity_of(request)
    if identity.signed_in is None and identity.can_refresh:
        return RedirectResponse("/session/sign-out", 307, NO_STORE)
    if identity.signed_in is not None:
        await end_current_session(request)
    return sign_browser_out(request, go_to("/sign-in", done="signed-out"))


@router.post("/session/sign-out")
async def sign_out_after_refresh(request: Request, commerce: CommerceDep) -> Response:
    """End the session to which the browser's refresh token belongs."""
    check_origin(request)
    tokens = await _refresh(request, commerce)
    if tokens is not None:
        principal = Principal(
            tokens["user"]["user_id"], frozenset({"shopper"}), session_id=tokens["session_id"]
        )
        await end_current_session(request, principal)
    return sign_browser_out(request, go_to("/sign-in", done="signed-out"))


async def end_current_session(request: Request, principal: Principal | None = None) -> None:
    """End the session of a request, or of a person. If the service is not available, it ends by itself."""
    commerce = opened(request, CommerceDomain).client
    try:
        await commerce.call(principal or request, "DELETE", "/v1/auth/sessions/current")
    except PartUnavailable as error:
        log.warning("a session was not ended", reason=str(error))


async def _refresh(request: Request, commerce: CommerceClient) -> dict[str, Any] | None:
    """Return new tokens for the refresh token of a browser; None if its session has ended.

    Raises:
        CommerceUnavailable: the users service does not answer. The session may still be valid.
    """
    refresh_token = request.cookies.get(cookies.REFRESH)
    if not refresh_token:
        return None
    body = {"refresh_token": refresh_token, "browser": True}
    answer = await commerce.call(request, "POST", "/v1/auth/refresh", body)
    if not answer.is_success or _is_refused(request, answer.content["access_token"]):
        return None
    tokens: dict[str, Any] = answer.content
    return tokens


def _is_refused(request: Request, access_token: str) -> bool:
    """Return whether the gateway would refuse a new token. The browser would then renew it in a loop."""
    access_tokens = opened(request, GatewayDomain).access_tokens
    try:
        if access_tokens.knows_key(access_token):
            access_tokens.verify(access_token)
    except TokenRefused as error:
        log.error("the gateway refuses a new access token", reason=str(error))
        return True
    return False


async def _name(request: Request, commerce: CommerceClient) -> str | None:
    """Return what to call a person: the name, else the beginning of the e-mail address."""
    try:
        answer = await asyncio.wait_for(commerce.call(request, "GET", "/v1/me"), MENU_TIMEOUT_S)
    except (PartUnavailable, TimeoutError):
        return None
    if not answer.is_success:
        return None
    return answer.content["name"] or str(answer.content["email"]).partition("@")[0]
