"""What the pages of people share: who may open them, their forms, texts and responses."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from common.access_policy import allow, anyone
from common.principal import Principal
from common.problems import PartProblem, Problem, problem
from serving.gateway import cookies
from serving.gateway.cookies import GuestSessions
from serving.gateway.gateway import GatewayDomain, identity_of
from serving.gateway.identity import check_origin
from serving.kit.domain import opened
from serving.kit.problems import CommerceUnavailable
from serving.web import forms
from serving.web.forms import NO_STORE, BadField, Change, Form, ShowPage, action, form_page
from serving.web.service_calls import Refusal, ask
from serving.web.texts import problem_text
from serving.web.translation import N_, gettext

ACCOUNT_UNAVAILABLE = problem(
    503,
    "account-unavailable",
    "Your account is not available",
    "Your account can't be shown right now. Nothing is lost: try again in a moment.",
    retry_after_s=2,
    error=PartProblem,
)

NOTICES: Mapping[str, str] = {
    "registered": N_("Your e-mail address is confirmed, and you are signed in."),
    "verified": N_("Your e-mail address is confirmed. Sign in to go on."),
    "password-set": N_("You have a new password. Sign in with it; all other sessions have ended."),
    "email-confirmed": N_("Your new e-mail address is confirmed. Use it to sign in from now on."),
    "signed-out": N_("You are signed out."),
    "erased": N_("Your account is erased. Nothing links your orders to you any more."),
    "profile-saved": N_("Your profile is saved."),
    "mails-saved": N_("Your choice of mails is saved."),
    "seller-followed": N_("You follow the seller. The home page of the shop shows what they list."),
    "seller-unfollowed": N_("You follow the seller no more."),
    "address-saved": N_("The address is saved."),
    "address-deleted": N_("The address is deleted."),
    "session-ended": N_("The session has ended."),
    "password-changed": N_("Your password is changed. Your other sessions have ended."),
    "staff-joined": N_("You belong to the staff now. Your shops are below."),
    "invitation-refused": N_("The invitation is refused. Its link does not work any more."),
    "email-requested": N_("A mail is on its way to the new address. Follow its link to use the address."),
}
"""The texts of `?done=…`, with which a form returns to a page."""

UNAVAILABLE = N_("Accounts are not available right now. Nothing was changed: try again in a moment.")

_API_CALL = re.compile(r" with (?:GET|POST|PUT|PATCH|DELETE) /v1/[\w/{}?=.-]*\w")
_FIELD = re.compile(r"^[a-z_.0-9]+: ")


def refusal(problem: Problem) -> str:
    """Return a problem of a service as a person should read it: its detail, without calls of the API."""
    detail = str(problem)
    if (text := problem_text(problem.kind, detail)) != detail:
        return text
    if _FIELD.match(detail):
        field, _, reason = detail.partition(": ")
        return gettext(
            "The field “%(field)s” can't be used like this. %(reason)s",
            field=field.replace("_", " "),
            reason=reason,
        )
    return _API_CALL.sub("", detail)


PAGE = anyone("page", refused_like="sign_in")
"""A page on the way to or from a session. It is limited as a page, and refused as late as the sign-in."""

SIGN_IN = anyone("sign_in")
ACCOUNT = allow("shopper", traffic="page")
CHANGE = allow("shopper", traffic="write")
CONFIRM = allow("shopper", traffic="sign_in")
"""Changes that need the password: guesses are limited as at the sign-in."""


def page(
    request: Request, template: str, problem: Problem | None = None, entered: Form | None = None, **shown: Any
) -> Response:
    """Return a page, with the refusal of its form and what was entered if there is one."""
    error = refusal(problem) if problem else None
    return form_page(
        request,
        f"account/{template}",
        NOTICES,
        problem,
        entered,
        **{"error": error, "next": "", **shown},
    )


def go_to(path: str, **query: str) -> Response:
    """Return a redirect to a page, after a form has done its work. Empty parameters are left out."""
    given = {name: value for name, value in query.items() if value}
    return RedirectResponse(path + (f"?{urlencode(given)}" if given else ""), 303, NO_STORE)


def sign_browser_in(request: Request, response: Response, tokens: Mapping[str, Any]) -> Response:
    """Set the tokens of a browser, and begin another session as a guest: the former is the person's now."""
    guests = _guests(request)
    cookies.set_session(request, response, guests.sign(guests.new()))
    cookies.set_tokens(request, response, tokens, cookies.PERSON)
    return response


def enter_demo(request: Request, response: Response, tokens: Mapping[str, Any]) -> Response:
    """Set the tokens of a demo person. The guest gets the own session back when the demo person signs out."""
    guests = _guests(request)
    own = request.cookies.get(cookies.SESSION, "")
    is_guest = identity_of(request).signed_in is None and guests.verify(own) is not None
    if is_guest and _session_before_demo(request) is None:
        cookies.set_guest(request, response, own)
    cookies.set_session(request, response, guests.sign(guests.new()))
    cookies.set_tokens(request, response, tokens, cookies.DEMO)
    return response


def sign_browser_out(request: Request, response: Response) -> Response:
    """Delete the tokens of a browser, and begin another session as a guest: the former was the person's.

    After a demo session, the guest has the session from before it again.
    """
    guests, before = _guests(request), _session_before_demo(request)
    cookies.set_session(request, response, before or guests.sign(guests.new()))
    cookies.delete_tokens(response)
    if before is not None:
        cookies.delete_guest(response)
        cookies.set_cart(request, response, cookies.UNKNOWN_CART)
    return response


def _session_before_demo(request: Request) -> str | None:
    """Return the signed session that the guest had before the demo; None if there is none."""
    signed = request.cookies.get(cookies.GUEST, "")
    return signed if _guests(request).verify(signed) is not None else None


def _guests(request: Request) -> GuestSessions:
    return opened(request, GatewayDomain).guests


async def read(
    request: Request,
    path: str,
    query: Mapping[str, str | None] | None = None,
    sender: Principal | None = None,
) -> Any:
    """Return what a service has, as JSON.

    Raises:
        ACCOUNT_UNAVAILABLE: the service does not answer.
        Refusal: the service refuses the request.
    """
    try:
        return await ask(request, "GET", path, query=query, sender=sender)
    except CommerceUnavailable as error:
        raise ACCOUNT_UNAVAILABLE() from error
    except Refusal as problem:
        shown = {"title": gettext("This can't be shown"), "detail": refusal(problem)}
        raise Refusal(problem.status, shown) from problem


FORM_LIMIT = 16 * 1024
MAX_FIELDS = 32


async def read_form(request: Request) -> Form:
    """Return the fields of a form that a page of this site has sent.

    Raises:
        NotAllowed: the request does not say that it comes from this site.
        NOT_A_FORM: the body is something else.
        BadField: a field is repeated, is not UTF-8, or there are too many.
        BODY_TOO_LARGE: the form exceeds `FORM_LIMIT`.
    """
    check_origin(request)
    form = await forms.read_form(request, FORM_LIMIT, MAX_FIELDS)
    if any(len(texts) > 1 for texts in form.fields.values()):
        raise BadField(gettext("The form can't be read. Open the page again and send the form again."))
    return form


async def account_action(
    request: Request, change: Change, page: ShowPage, target: str = "", done: str = ""
) -> Response:
    """Do as `action`. If the service is not available, the form is shown again, too."""

    async def try_to_change(form: Form) -> Response | str | None:
        try:
            return await change(form)
        except CommerceUnavailable as error:
            raise Refusal(503, {"detail": UNAVAILABLE}) from error

    return await action(request, try_to_change, page, target, done, read_form)
