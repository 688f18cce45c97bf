"""What the endpoints of people need besides transactions: keys, password hashing and the texts of mails."""

from dataclasses import dataclass

from common.settings import Settings
from producers.kit.http.peers import Peers
from producers.services.users.device_tokens import DeviceTokens
from producers.services.users.mails import Mails
from producers.services.users.passwords import Passwords
from producers.services.users.pseudonyms import Pseudonyms
from producers.services.users.signing_keys import SigningKeys
from producers.services.users.unsubscribe_links import UnsubscribeLinks


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
