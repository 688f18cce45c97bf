"""The cookies of a browser: its session as a guest, and the tokens of the person who is signed in."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from fastapi import Request
from starlette.responses import Response

from common.host_check import host_name, is_loopback
from common.principal_token import derived_key
from common.settings import Settings

SESSION = "souk_session"
SESSION_MAX_AGE_S = 30 * 24 * 3600
"""The lifetime of a browser's session: the retention of browsing events in Kafka."""

ACCESS = "souk_access"
REFRESH = "souk_refresh"
REFRESH_PATH = "/session"
"""A browser sends its refresh token only to these pages."""

SIGNED_IN = "souk_signed_in"
"""Says that there is a refresh token, which the browser does not send to other pages. It proves nothing.
Scripts can read it: pages that are the same for everybody show a person's menu only if it is there."""

PERSON, DEMO = "1", "demo"
"""Values of `SIGNED_IN`: a person of the shop is signed in, or one of the demo."""

GUEST = "souk_guest"
"""The session that a guest had before they looked around as a person of the demo. It does not become that of
the demo person, and the guest gets it back afterwards."""

RENEWED = "souk_renewed"
RENEWED_MAX_AGE_S = 10
"""Says to the pages of `REFRESH_PATH` that the session was renewed for a form just now."""

DEVICE = "souk_device"
SIGN_IN_MAX_AGE_S = 30 * 24 * 3600
DEVICE_MAX_AGE_S = 365 * 24 * 3600

CART = "souk_cart"
CART_PATH = "/shop"
"""What the shop's pages know of the visitor's cart (`serving/web/storefront/visit.py`). Scripts can read it.
It ends with a sign-in and a sign-out: then the cart is another visitor's."""

UNKNOWN_CART = "x:"
"""The cookie of a guest whose cart nobody has looked at yet. Any other one begins with a number."""

GUEST_PREFIX = "guest."
"""Prefix of the bearer token of a guest without cookies."""

_SESSION_ID = re.compile(r"[0-9a-f]{32}")
_MAC_CHARS = 32


class GuestSessions:
    """Makes and verifies the ids of browsers.

    An id is in events, orders and ClickHouse, so knowing it must not be enough. The cookie is the id and its
    HMAC-SHA256, cut to 128 bits.
    """

    def __init__(self, settings: Settings) -> None:
        self._key = derived_key(settings, "guest sessions")

    def new(self) -> str:
        """Return the id of a new session."""
        return token_hex(16)

    def sign(self, session_id: str) -> str:
        """Return the cookie of a session."""
        return f"{session_id}.{self._mac(session_id)}"

    def token(self, session_id: str) -> str:
        """Return the bearer token of a guest without cookies."""
        return GUEST_PREFIX + self.sign(session_id)

    def verify(self, cookie: str) -> str | None:
        """Return the id in a cookie; None if this shop did not make the cookie."""
        session_id, _, mac = cookie.partition(".")
        if not _SESSION_ID.fullmatch(session_id):
            return None
        return session_id if hmac.compare_digest(mac.encode(), self._mac(session_id).encode()) else None

    def _mac(self, session_id: str) -> str:
        return hmac.new(self._key, session_id.encode(), hashlib.sha256).hexdigest()[:_MAC_CHARS]


def set_session(request: Request, response: Response, signed: str) -> None:
    """Set the session cookie, and forbid shared caches to store the response."""
    _set(request, response, SESSION, signed, SESSION_MAX_AGE_S)
    if "no-store" not in response.headers.get("Cache-Control", ""):
        response.headers["Cache-Control"] = "private, no-cache"


def set_guest(request: Request, response: Response, signed: str) -> None:
    """Keep the session of a guest until they leave the demo."""
    _set(request, response, GUEST, signed, SESSION_MAX_AGE_S)


def set_cart(request: Request, response: Response, value: str) -> None:
    """Say what is in the visitor's cart."""
    _set(request, response, CART, value, SESSION_MAX_AGE_S, CART_PATH, readable=True)


def delete_guest(response: Response) -> None:
    """Delete the cookie of a guest who has left the demo."""
    response.delete_cookie(GUEST, httponly=True, samesite="lax")


def set_tokens(
    request: Request, response: Response, tokens: Mapping[str, Any], signed_in: str | None = None
) -> None:
    """Set the cookies of a sign-in or a refresh, from the response of the users service.

    `signed_in` is `PERSON` or `DEMO`; a refresh leaves it as it is.
    """
    if signed_in is None:
        signed_in = DEMO if request.cookies.get(SIGNED_IN) == DEMO else PERSON
    else:
        _delete_cart(response)
    _set(request, response, ACCESS, tokens["access_token"], int(tokens["expires_in"]))
    if tokens.get("refresh_token"):
        _set(request, response, REFRESH, tokens["refresh_token"], SIGN_IN_MAX_AGE_S, REFRESH_PATH)
        _set(request, response, SIGNED_IN, signed_in, SIGN_IN_MAX_AGE_S, readable=True)
    if tokens.get("device_token"):
        set_device(request, response, tokens["device_token"])
    response.headers["Cache-Control"] = "no-store"


def set_device(request: Request, response: Response, device_token: str) -> None:
    """Set the cookie of a device on which an account was opened: others' guesses do not slow its owner."""
    _set(request, response, DEVICE, device_token, DEVICE_MAX_AGE_S)


def set_renewed(request: Request, response: Response) -> None:
    """Set the cookie that ends a loop of renewals, in a browser that does not keep its access token."""
    _set(request, response, RENEWED, "1", RENEWED_MAX_AGE_S, REFRESH_PATH)


def delete_tokens(response: Response) -> None:
    """Delete the cookies of a person who signed out. The device stays known."""
    for name, path in ((ACCESS, "/"), (REFRESH, REFRESH_PATH), (SIGNED_IN, "/")):
        response.delete_cookie(name, path=path, httponly=True, samesite="lax")
    _delete_cart(response)
    response.headers["Cache-Control"] = "no-store"


def _delete_cart(response: Response) -> None:
    response.delete_cookie(CART, path=CART_PATH, samesite="lax")


def _set(
    request: Request,
    response: Response,
    name: str,
    value: str,
    max_age_s: int,
    path: str = "/",
    readable: bool = False,
) -> None:
    # A proxy may end TLS, so the scheme of this hop says nothing. Off loopback, cookies travel by HTTPS only.
    secure = not is_loopback(host_name(request.headers.get("host", "")))
    response.set_cookie(
        name, value, max_age=max_age_s, path=path, httponly=not readable, samesite="lax", secure=secure
    )
