"""The pages before an account: sign in, sign up, and the links of mails."""

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import PRINTABLE
from common.problems import Problem
from serving.gateway import cookies
from serving.gateway.gateway import identity_of
from serving.gateway.sign_in_redirect import safe_target
from serving.kit.problems import CommerceUnavailable
from serving.web.account.demo import may_read_mails
from serving.web.account.page import PAGE, SIGN_IN, account_action, go_to, page, sign_browser_in
from serving.web.account.session import end_current_session
from serving.web.formatter import device_name
from serving.web.forms import Form, send
from serving.web.policy import page_router
from serving.web.service_calls import Refusal, ask

router = page_router(PAGE)

Next = Annotated[str, Query(alias="next", max_length=2000)]
Token = Annotated[str, Query(max_length=512, pattern=PRINTABLE)]


@router.get("/sign-in")
async def sign_in_page(request: Request, target: Next = "") -> Response:
    """Return the form to sign in. `next` is the page to go to afterwards."""
    return await _sign_in_page(request, target=target)


@router.post("/sign-in")
@policy(SIGN_IN)
async def sign_in(request: Request) -> Response:
    """Open a session, and go on to the page that the visitor wanted."""

    async def open_session(form: Form) -> Response:
        tokens = await _open_session(request, form, form.text("email"))
        return sign_browser_in(request, go_to(_target(form) or "/account"), tokens)

    return await account_action(request, open_session, _sign_in_page)


async def _sign_in_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None, target: str = ""
) -> Response:
    entered = entered or Form({"next": [target]})
    target, email = _target(entered), entered.text("email")
    return page(request, "sign_in.html", problem, next=target, email=email)


@router.get("/sign-up")
async def sign_up_page(request: Request, target: Next = "") -> Response:
    """Return the form to register."""
    return await _sign_up_page(request, target=target)


@router.post("/sign-up")
@policy(SIGN_IN)
async def sign_up(request: Request) -> Response:
    """Register. The page is the same whether or not the address has an account: a mail says which."""

    async def register(form: Form) -> Response:
        await send(request, form, "POST", "/v1/auth/registrations", next=_target(form))
        return await _mail_sent(request, form, "sign_up")

    return await account_action(request, register, _sign_up_page)


async def _sign_up_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None, target: str = ""
) -> Response:
    entered = entered or Form({"next": [target]})
    email, name = entered.text("email"), entered.text("name")
    return page(request, "sign_up.html", problem, next=_target(entered), email=email, name=name)


@router.get("/verify")
async def verify_page(request: Request, token: Token = "", target: Next = "") -> Response:
    """Return the form that confirms an e-mail address. A program that only opens links confirms nothing."""
    return await _verify_page(request, entered=Form({"token": [token], "next": [target]}))


@router.post("/verify")
@policy(SIGN_IN)
async def verify(request: Request) -> Response:
    """Confirm an e-mail address after a registration, and sign its owner in.

    The form has what a sign-in needs, so nobody types the password a second time. If the session can't be
    opened, the form to sign in follows.
    """

    async def confirm(form: Form) -> Response:
        verified = await send(request, form, "POST", "/v1/auth/verifications")
        target = _target(form)
        try:
            tokens = await _open_session(request, form, verified["email"])
        except (Refusal, CommerceUnavailable):
            return go_to("/sign-in", done="verified", next=target)
        opens = go_to(target) if target else go_to("/account", done="registered")
        return sign_browser_in(request, opens, tokens)

    return await account_action(request, confirm, _verify_page)


async def _verify_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    return _confirm_page(request, "verify", problem, entered or Form())


@router.get("/forgotten-password")
async def forgotten_page(request: Request) -> Response:
    """Return the form with which a person asks for a new password."""
    return await _forgotten_page(request)


@router.post("/forgotten-password")
@policy(SIGN_IN)
async def forgotten(request: Request) -> Response:
    """Send the mail with the link to a new password. The page does not say whether there is an account."""

    async def ask_for_mail(form: Form) -> Response:
        await send(request, form, "POST", "/v1/auth/password_resets")
        return await _mail_sent(request, form, "forgotten")

    return await account_action(request, ask_for_mail, _forgotten_page)


async def _forgotten_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    return page(request, "forgotten_password.html", problem, email=(entered or Form()).text("email"))


@router.get("/reset")
async def reset_page(request: Request, token: Token = "") -> Response:
    """Return the form in which the holder of a mailed token chooses a new password."""
    return await _reset_page(request, entered=Form({"token": [token]}))


@router.post("/reset")
@policy(SIGN_IN)
async def reset(request: Request) -> Response:
    """Set the new password. All sessions of the person end."""

    async def set_password(form: Form) -> Response:
        done = await send(request, form, "POST", "/v1/auth/password_resets/confirmations")
        response = go_to("/sign-in", done="password-set")
        cookies.set_device(request, response, done["device_token"])
        return response

    return await account_action(request, set_password, _reset_page)


async def _reset_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    return page(request, "reset.html", problem, token=(entered or Form()).text("token"))


@router.get("/confirm_email")
async def confirm_email_page(request: Request, token: Token = "") -> Response:
    """Return the form that confirms a new e-mail address."""
    return await _confirm_email_page(request, entered=Form({"token": [token]}))


@router.post("/confirm_email")
@policy(SIGN_IN)
async def confirm_email(request: Request) -> Response:
    """Confirm the new e-mail address of an account."""

    async def confirm(form: Form) -> Response:
        await send(request, form, "POST", "/v1/auth/email_changes/confirmations")
        is_signed_in = identity_of(request).signed_in is not None
        return go_to("/account" if is_signed_in else "/sign-in", done="email-confirmed")

    return await account_action(request, confirm, _confirm_email_page)


async def _confirm_email_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    return _confirm_page(request, "confirm_email", problem, entered or Form())


@router.get("/unsubscribe")
async def unsubscribe_page(request: Request, token: Token = "") -> Response:
    """Return the form that ends mails with recommendations. A program that only opens links ends nothing."""
    return await _unsubscribe_page(request, entered=Form({"token": [token]}))


@router.post("/unsubscribe")
@policy(SIGN_IN)
async def unsubscribe(request: Request) -> Response:
    """End mails with recommendations, also for somebody who is not signed in."""

    async def end_mails(form: Form) -> Response:
        await send(request, form, "POST", "/v1/auth/unsubscriptions")
        return await _unsubscribe_page(request, entered=form, is_done=True)

    return await account_action(request, end_mails, _unsubscribe_page)


async def _unsubscribe_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None, is_done: bool = False
) -> Response:
    token = (entered or Form()).text("token")
    return page(request, "unsubscribe.html", problem, token=token, is_done=is_done)


def _confirm_page(request: Request, purpose: str, problem: Problem | None, entered: Form) -> Response:
    """Return the form that confirms an address; without its fields if the link has ended.

    The field `next` is the page to open afterwards.
    """
    has_ended = problem is not None and problem.kind == "link-ended"
    return page(
        request,
        "confirm.html",
        problem,
        has_ended=has_ended,
        purpose=purpose,
        token=entered.text("token"),
        next=_target(entered),
    )


async def _open_session(request: Request, form: Form, email: str) -> Any:
    """Open a session with the password of a form, and end the one that the browser had. Return its tokens.

    Raises:
        Refusal: the users service refuses the sign-in.
        CommerceUnavailable: the users service does not answer.
    """
    given = {"email": email, "device": device_name(request.headers.get("user-agent", ""))}
    if device_token := request.cookies.get(cookies.DEVICE):
        given["device_token"] = device_token[:512]
    identity = identity_of(request)
    principal = identity.principal
    if principal is not None and "guest" in principal.roles and principal.shopper_id is not None:
        given["guest_session"] = principal.shopper_id
    body = {**given, "password": form.password("password")}
    tokens = await ask(request, "POST", "/v1/auth/sessions", body)
    if identity.signed_in is not None:
        await end_current_session(request)
    return tokens


async def _mail_sent(request: Request, form: Form, purpose: str) -> Response:
    mailbox = await may_read_mails(request)
    return page(request, "mail_sent.html", email=form.text("email"), purpose=purpose, mailbox=mailbox)


def _target(form: Form) -> str:
    """Return the page to go to after a sign-in; empty if none was given."""
    target = form.text("next")
    return safe_target(target) if target else ""
