"""The session of a browser in the shop: a random id that identifies a browser, not a person."""

from fastapi import Request
from starlette.responses import Response

from serving.gateway import cookies
from serving.gateway.cookies import GuestSessions
from serving.gateway.gateway import GatewayDomain, identity_of
from serving.kit.domain import opened


async def session_id(request: Request) -> str:
    """Return the session id of the cookie, or a new one."""
    return identity_of(request).session_id or _guests(request).new()


def set_session_cookie(request: Request, response: Response, session: str) -> Response:
    """Set the session cookie, and forbid shared caches to store the response."""
    cookies.set_session(request, response, _guests(request).sign(session))
    return response


def _guests(request: Request) -> GuestSessions:
    return opened(request, GatewayDomain).guests
