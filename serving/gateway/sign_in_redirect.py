"""Sends a person who opens a page without being signed in to the sign-in, and back afterwards. Pure."""

from urllib.parse import urlencode

from fastapi import Request

DEFAULT = "/"


def is_page_visit(request: Request) -> bool:
    """Return whether a person opens a page, and not a script a part of one."""
    return (
        request.method == "GET"
        and "text/html" in request.headers.get("accept", "")
        and not request.url.path.startswith("/v1/")
        and "hx-request" not in request.headers
    )


def sign_in_address(request: Request, can_refresh: bool) -> str:
    """Return where to send the person: to the renewal of the session if the browser can renew it."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    page = "/session/refresh" if can_refresh else "/sign-in"
    return f"{page}?{urlencode({'next': target})}"


def safe_target(target: str) -> str:
    """Return the address to go to after a sign-in, if it is a path of this site; else the start page."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if is_path and target.isprintable() else DEFAULT
