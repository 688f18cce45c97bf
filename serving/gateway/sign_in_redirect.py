"""Sends a person without a valid access token to the renewal or the sign-in, and back afterwards. Pure."""

from urllib.parse import urlencode, urlsplit

from fastapi import Request

from common.request_path import address_of
from serving.kit.request_body import has_form

DEFAULT = "/"


def is_page_visit(request: Request) -> bool:
    """Return whether a person opens a page, and not a script a part of one."""
    return (
        request.method == "GET"
        and "text/html" in request.headers.get("accept", "")
        and not request.url.path.startswith("/v1/")
        and "hx-request" not in request.headers
    )


def is_form(request: Request) -> bool:
    """Return whether a browser sends a form of a page, and not a script its data."""
    return (
        request.method == "POST"
        and has_form(request)
        and not request.url.path.startswith("/v1/")
        and "hx-request" not in request.headers
    )


def sign_in_address(request: Request, can_refresh: bool) -> str:
    """Return where to send the person: to the renewal of the session if the browser can renew it."""
    page = "/session/refresh" if can_refresh else "/sign-in"
    return f"{page}?{urlencode({'next': address_of(request)})}"


def resend_address(request: Request) -> str:
    """Return where the browser sends a form again, to renew the session and come back with the form."""
    return f"/session/resend?{urlencode({'next': address_of(request)})}"


def page_of_form(request: Request) -> str:
    """Return the page of this site on which a form was sent; empty if the browser does not name it."""
    try:
        page = urlsplit(request.headers.get("referer", ""))
    except ValueError:  # no valid URL
        return ""
    if page.netloc.lower() != request.headers.get("host", "").lower():
        return ""
    return safe_target(page.path + (f"?{page.query}" if page.query else ""))


def safe_target(target: str) -> str:
    """Return the address to go to after a sign-in, if it is a path of this site; else the start page."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if is_path and target.isprintable() else DEFAULT
