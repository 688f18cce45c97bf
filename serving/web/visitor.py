"""Who is looking: a random session id in a first-party cookie. It is no person, and leads to none."""

import re
from secrets import token_hex

from fastapi import Request
from starlette.responses import Response

COOKIE = "souk_session"
KEPT_S = 30 * 24 * 3600
"""As long as Kafka keeps browsing events."""

_OURS = re.compile(r"[0-9a-f]{32}")


async def session_id(request: Request) -> str:
    """The visitor's session: that of the cookie, or a fresh one."""
    sent = request.cookies.get(COOKIE, "")
    return sent if _OURS.fullmatch(sent) else token_hex(16)


def remember(request: Request, response: Response, session: str) -> Response:
    """Give the visitor the cookie, and keep others from keeping the page."""
    response.set_cookie(
        COOKIE,
        session,
        max_age=KEPT_S,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    response.headers["Cache-Control"] = "private, no-cache"
    return response
