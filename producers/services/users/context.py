"""What the endpoints of people share: who may use them, what they read from a request, keys and mails.

A person reaches only what is their own: the statements take their id.
"""

from dataclasses import dataclass

from fastapi import Request

from common.access_policy import NotAllowed, NotYours, allow, anyone
from common.principal import Principal
from common.settings import Settings
from producers.kit.http.endpoint import context
from producers.kit.http.guard import address_of, principal_of
from producers.kit.http.peers import Peers
from producers.kit.http.problems import require
from producers.kit.makers import person_id
from producers.services.users.mails import Mails, UnsubscribeLinks
from producers.services.users.passwords import DeviceTokens, Passwords
from producers.services.users.pseudonyms import Pseudonyms
from producers.services.users.signing_keys import SigningKeys

NAME = "users"

SIGN_IN = anyone("sign_in")
READ_OWN = allow("shopper", traffic="read")
WRITE_OWN = allow("shopper", traffic="write")
CONFIRM = allow("shopper", traffic="sign_in")
ADMIN_READ = allow("admin", traffic="read")
ADMIN_WRITE = allow("admin", traffic="write")
PLATFORM_WITH_SECRET = allow("platform", traffic="operations", secret_response=True)

MAX_DEVICE_CHARS = 300


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as the person sees it in the list of sessions."""

    address: str
    device: str


@dataclass(frozen=True, slots=True)
class UsersContext:
    """What the endpoints need besides transactions: keys, password hashing and the texts of mails."""

    passwords: Passwords
    devices: DeviceTokens
    pseudonyms: Pseudonyms
    keys: SigningKeys
    mails: Mails
    unsubscribe_links: UnsubscribeLinks
    peers: Peers


def make_context(settings: Settings) -> UsersContext:
    """Return the context of a process.

    Raises:
        UserError: the settings have no `internal_secret`.
    """
    return UsersContext(
        Passwords(),
        DeviceTokens(settings),
        Pseudonyms(settings),
        SigningKeys(settings),
        Mails(settings.public),
        UnsubscribeLinks(settings),
        Peers(settings, "users"),
    )


def context_of(request: Request) -> UsersContext:
    """Return what the endpoints need besides transactions."""
    made: UsersContext = context(request, NAME)
    return made


def client_of(request: Request, device: str | None = None) -> Client:
    """Return where a request comes from.

    `device` is a name that the client gives instead of `User-Agent`.
    """
    name = device or request.headers.get("User-Agent", "")[:MAX_DEVICE_CHARS]
    return Client(address_of(request), "".join(character for character in name if character.isprintable()))


def person_of(request: Request) -> str:
    """Return the id of the person who sends a request.

    Raises:
        NotYours: a guest, an API key or a process of the platform sends it.
    """
    return require(person_id(principal_of(request).subject), NotYours())


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
