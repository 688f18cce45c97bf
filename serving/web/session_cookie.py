"""The session cookie: a random id that identifies a browser, not a person."""

import re
from secrets import token_hex

from fastapi import Request
from starlette.responses import Response

COOKIE = "souk_session"
COOKIE_MAX_AGE_S = 30 * 24 * 3600
"""The lifetime of the cookie: the retention of browsing events in Kafka."""

_SESSION_ID = re.compile(r"[0-9a-f]{32}")


async def session_id(request: Request) -> str:
    """Return the session id of the cookie, or a new one."""
    cookie = request.cookies.get(COOKIE, "")
    return cookie if _SESSION_ID.fullmatch(cookie) else token_hex(16)


def set_session_cookie(request: Request, response: Response, session: str) -> Response:
    """Set the session cookie, and forbid shared caches to store the response."""
    response.set_cookie(
        COOKIE,
        session,
        max_age=COOKIE_MAX_AGE_S,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    response.headers["Cache-Control"] = "private, no-cache"
    return response
