"""What the endpoints of people need besides transactions: keys, password hashing and the texts of mails."""

from dataclasses import dataclass

from common.settings import Settings
from producers.http.peers import Peers
from producers.users.device_tokens import DeviceTokens
from producers.users.mails import Mails
from producers.users.passwords import Passwords
from producers.users.pseudonyms import Pseudonyms
from producers.users.signing_keys import SigningKeys
from producers.users.unsubscribe_links import UnsubscribeLinks


@dataclass(frozen=True, slots=True)
class UsersContext:
    """The parts that all endpoints of a process share."""

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
