"""What the endpoints of people read from a request: the client, the person, the browser's guest session."""

from uuid import UUID

from fastapi import Request

from common.access_policy import NotAllowed, NotYours
from common.principal import Principal
from producers.kit.http.endpoint import context
from producers.kit.http.guard import principal_of
from producers.services.users.context import UsersContext
from producers.services.users.session_store import Client

NAME = "users"

MAX_DEVICE_CHARS = 300
_MAX_ADDRESS_CHARS = 64


def context_of(request: Request) -> UsersContext:
    """Return what the endpoints need besides transactions."""
    made: UsersContext = context(request, NAME)
    return made


def client_of(request: Request, device: str | None = None) -> Client:
    """Return where a request comes from: the address that the gateway has signed, else the connection's.

    `device` is a name that the client gives instead of `User-Agent`.
    """
    peer = request.client.host if request.client else ""
    address = (request.state.client_address or peer)[:_MAX_ADDRESS_CHARS]
    name = device or request.headers.get("User-Agent", "")[:MAX_DEVICE_CHARS]
    return Client(address, "".join(character for character in name if character.isprintable()))


def person_of(request: Request) -> str:
    """Return the id of the person who sends a request.

    Raises:
        NotYours: a guest, an API key or a process of the platform sends it.
    """
    principal = principal_of(request)
    try:
        return str(UUID(principal.subject))
    except ValueError as error:
        raise NotYours from error


def guest_of(request: Request, named: str | None) -> str | None:
    """Return the id of the browser as a guest, which the sign-in makes the person's own.

    The gateway has verified the principal of the request. A body is not enough: ids of guests are in events
    and orders, so others know them.

    Raises:
        NotAllowed: the body names the id of another browser.
    """
    principal: Principal | None = request.state.principal
    if principal is not None and "platform" in principal.roles:
        return named
    own = principal.shopper_id if principal is not None and "guest" in principal.roles else None
    if named is not None and named != own:
        raise NotAllowed("guest_session is not that of this browser. Leave it out.")
    return own
