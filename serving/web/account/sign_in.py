"""The pages before an account: sign in, sign up, and the links of mails."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import PRINTABLE
from serving.commerce.commerce_client import CommerceClient, CommerceResponse
from serving.commerce.routes import CommerceDep
from serving.gateway import cookies
from serving.gateway.gateway import identity_of
from serving.gateway.sign_in_redirect import safe_target
from serving.web.account.demo import may_read_mails
from serving.web.account.page import (
    PAGE,
    SIGN_IN,
    Form,
    change,
    go_to,
    page,
    read_form,
    refusal,
    sign_browser_in,
    typed,
)
from serving.web.account.session import end_current_session
from serving.web.formatter import device_name
from serving.web.policy import page_router

router = page_router(PAGE)

LINK_ENDED = 410
"""The status of `producers.services.users.problems.LinkEnded`."""

Next = Annotated[str, Query(alias="next", max_length=2000)]
Token = Annotated[str, Query(max_length=512, pattern=PRINTABLE)]


@router.get("/sign-in")
async def sign_in_page(request: Request, target: Next = "") -> Response:
    """Return the form to sign in. `next` is the page to go to afterwards."""
    return page(request, "sign_in.html", next=_target(target), email="")


@router.post("/sign-in")
@policy(SIGN_IN)
async def sign_in(request: Request, commerce: CommerceDep) -> Response:
    """Open a session, and go on to the page that the visitor wanted."""
    form = await read_form(request)
    email, target = typed(form, "email"), _target(typed(form, "next"))
    answer = await _open_session(request, commerce, form, email)
    if not answer.is_success:
        return page(
            request, "sign_in.html", answer.status, next=target, email=email, error=refusal(answer.content)
        )
    return sign_browser_in(request, go_to(target or "/account"), answer.content)


@router.get("/sign-up")
async def sign_up_page(request: Request, target: Next = "") -> Response:
    """Return the form to register."""
    return page(request, "sign_up.html", next=_target(target), email="", name="")


@router.post("/sign-up")
@policy(SIGN_IN)
async def sign_up(request: Request, commerce: CommerceDep) -> Response:
    """Register. The page is the same whether or not the address has an account: a mail says which."""
    form = await read_form(request)
    email, name, target = typed(form, "email"), typed(form, "name"), _target(typed(form, "next"))
    body = {"email": email, "password": form.get("password", ""), "name": name, "next": target}
    answer = await change(commerce, request, "POST", "/v1/auth/registrations", body)
    if answer.is_success:
        return await _mail_sent(request, email, "sign_up")
    shown = {"next": target, "email": email, "name": name, "error": refusal(answer.content)}
    return page(request, "sign_up.html", answer.status, **shown)


@router.get("/verify")
async def verify_page(request: Request, token: Token = "", target: Next = "") -> Response:
    """Return the form that confirms an e-mail address. A program that only opens links confirms nothing."""
    return _confirm_page(request, "verify", token, _target(target))


@router.post("/verify")
@policy(SIGN_IN)
async def verify(request: Request, commerce: CommerceDep) -> Response:
    """Confirm an e-mail address after a registration, and sign its owner in.

    The form has what a sign-in needs, so nobody types the password a second time. If the session can't be
    opened, the form to sign in follows.
    """
    form = await read_form(request)
    body, target = _confirmation(form), _target(typed(form, "next"))
    answer = await change(commerce, request, "POST", "/v1/auth/verifications", body)
    if not answer.is_success:
        return _confirm_page(request, "verify", body["token"], target, answer)
    opened = await _open_session(request, commerce, form, answer.content["email"])
    if not opened.is_success:
        return go_to("/sign-in", done="verified", next=target)
    opens = go_to(target) if target else go_to("/account", done="registered")
    return sign_browser_in(request, opens, opened.content)


@router.get("/forgotten-password")
async def forgotten_page(request: Request) -> Response:
    """Return the form with which a person asks for a new password."""
    return page(request, "forgotten_password.html", email="")


@router.post("/forgotten-password")
@policy(SIGN_IN)
async def forgotten(request: Request, commerce: CommerceDep) -> Response:
    """Send the mail with the link to a new password. The page does not say whether there is an account."""
    email = typed(await read_form(request), "email")
    answer = await change(commerce, request, "POST", "/v1/auth/password_resets", {"email": email})
    if answer.is_success:
        return await _mail_sent(request, email, "forgotten")
    return page(request, "forgotten_password.html", answer.status, email=email, error=refusal(answer.content))


@router.get("/reset")
async def reset_page(request: Request, token: Token = "") -> Response:
    """Return the form in which the holder of a mailed token chooses a new password."""
    return page(request, "reset.html", token=token)


@router.post("/reset")
@policy(SIGN_IN)
async def reset(request: Request, commerce: CommerceDep) -> Response:
    """Set the new password. All sessions of the person end."""
    form = await read_form(request)
    body = {"token": typed(form, "token"), "password": form.get("password", "")}
    answer = await change(commerce, request, "POST", "/v1/auth/password_resets/confirmations", body)
    if not answer.is_success:
        return page(request, "reset.html", answer.status, token=body["token"], error=refusal(answer.content))
    response = go_to("/sign-in", done="password-set")
    cookies.set_device(request, response, answer.content["device_token"])
    return response


@router.get("/confirm_email")
async def confirm_email_page(request: Request, token: Token = "") -> Response:
    """Return the form that confirms a new e-mail address."""
    return _confirm_page(request, "confirm_email", token)


@router.post("/confirm_email")
@policy(SIGN_IN)
async def confirm_email(request: Request, commerce: CommerceDep) -> Response:
    """Confirm the new e-mail address of an account."""
    body = _confirmation(await read_form(request))
    answer = await change(commerce, request, "POST", "/v1/auth/email_changes/confirmations", body)
    if not answer.is_success:
        return _confirm_page(request, "confirm_email", body["token"], refused=answer)
    is_signed_in = identity_of(request).signed_in is not None
    return go_to("/account" if is_signed_in else "/sign-in", done="email-confirmed")


@router.get("/unsubscribe")
async def unsubscribe_page(request: Request, token: Token = "") -> Response:
    """Return the form that ends mails with recommendations. A program that only opens links ends nothing."""
    return page(request, "unsubscribe.html", token=token, is_done=False)


@router.post("/unsubscribe")
@policy(SIGN_IN)
async def unsubscribe(request: Request, commerce: CommerceDep) -> Response:
    """End mails with recommendations, also for somebody who is not signed in."""
    token = typed(await read_form(request), "token")
    answer = await change(commerce, request, "POST", "/v1/auth/unsubscriptions", {"token": token})
    if answer.is_success:
        return page(request, "unsubscribe.html", token=token, is_done=True)
    error = refusal(answer.content)
    return page(request, "unsubscribe.html", answer.status, token=token, is_done=False, error=error)


def _confirmation(form: Form) -> dict[str, str]:
    return {"token": typed(form, "token"), "password": form.get("password", "")}


def _confirm_page(
    request: Request, purpose: str, token: str, target: str = "", refused: CommerceResponse | None = None
) -> Response:
    """Return the form that confirms an address; without its fields if the link has ended.

    `target` is the page to open afterwards.
    """
    status, error = (200, None) if refused is None else (refused.status, refusal(refused.content))
    shown = {"purpose": purpose, "token": token, "next": target, "error": error}
    return page(request, "confirm.html", status, has_ended=status == LINK_ENDED, **shown)


async def _open_session(
    request: Request, commerce: CommerceClient, form: Form, email: str
) -> CommerceResponse:
    """Open a session with the password of a form, and end the one that the browser had."""
    answer = await change(commerce, request, "POST", "/v1/auth/sessions", _credentials(request, form, email))
    if answer.is_success and identity_of(request).signed_in is not None:
        await end_current_session(request, commerce)
    return answer


async def _mail_sent(request: Request, email: str, purpose: str) -> Response:
    mailbox = await may_read_mails(request)
    return page(request, "mail_sent.html", email=email, purpose=purpose, mailbox=mailbox)


def _credentials(request: Request, form: Form, email: str) -> dict[str, str]:
    body = {
        "email": email,
        "password": form.get("password", ""),
        "device": device_name(request.headers.get("user-agent", "")),
    }
    if device_token := request.cookies.get(cookies.DEVICE):
        body["device_token"] = device_token[:512]
    principal = identity_of(request).principal
    if principal is not None and "guest" in principal.roles and principal.shopper_id is not None:
        body["guest_session"] = principal.shopper_id
    return body


def _target(target: str) -> str:
    """Return the page to go to after a sign-in; empty if none was given."""
    return safe_target(target) if target else ""
