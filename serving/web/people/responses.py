"""Builds the responses of the pages of people. None of them may be stored by a cache."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from serving.gateway import cookies
from serving.gateway.cookies import GuestSessions
from serving.gateway.gateway import GatewayDomain, identity_of
from serving.kit.domain import opened
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.web.people import texts
from serving.web.renderer import PageRenderer

NO_STORE = {"Cache-Control": PRIVATE_NO_STORE}


def page(request: Request, template: str, status: int = 200, **shown: Any) -> Response:
    """Return a page. `error` is the text of a refusal; `done` the name of what a form has done."""
    pages = opened(request, PageRenderer)
    notice = texts.notice(request.query_params.get("done", ""))
    response = pages(f"people/{template}", status, **{"error": None, "notice": notice, "next": "", **shown})
    response.headers.update(NO_STORE)
    return response


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
    if before is not None:
        cookies.delete_guest(response)
    cookies.delete_tokens(response)
    return response


def _session_before_demo(request: Request) -> str | None:
    """Return the signed session that the guest had before the demo; None if there is none."""
    signed = request.cookies.get(cookies.GUEST, "")
    return signed if _guests(request).verify(signed) is not None else None


def _guests(request: Request) -> GuestSessions:
    return opened(request, GatewayDomain).guests
