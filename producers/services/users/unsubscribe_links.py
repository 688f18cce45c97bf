"""Makes and reads the tokens of the links that end mails with recommendations.

A link works without a sign-in, and as long as the mail is kept. It can do nothing but end the mails, so it
needs no row in the database and no end. The token is the person's id and its HMAC-SHA256, cut to 128 bits.
"""

import hmac
from hashlib import sha256
from uuid import UUID

from common.principal_token import derived_key
from common.settings import Settings

_MAC_CHARS = 32


class UnsubscribeLinks:
    """The tokens of one platform: they are made with a key that derives from `internal_secret`."""

    def __init__(self, settings: Settings) -> None:
        self._key = derived_key(settings, "unsubscribe links")

    def token(self, user_id: str) -> str:
        """Return the token of a person."""
        name = UUID(user_id).hex
        return f"{name}.{self._mac(name)}"

    def person(self, token: str) -> str | None:
        """Return the id of the person of a token; None if this platform did not make it."""
        name, _, mac = token.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(name).encode()):
            return None
        return str(UUID(name))

    def _mac(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), sha256).hexdigest()[:_MAC_CHARS]
