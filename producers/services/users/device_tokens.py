"""Device tokens: they say that an account was signed in to from a device before (OWASP's device cookies).

Guesses from such a device are counted apart from those of everybody else. An attacker who is slowed down
therefore does not slow down the owner. A token opens nothing: its holder still needs the password.

See https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies.
"""

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from secrets import token_bytes

from common.principal_token import derived_key
from common.settings import Settings
from producers.services.users.model import address_block

_NONCE_BYTES = 16
_DIGEST_BYTES = 32


class DeviceTokens:
    """Makes and reads device tokens, and names the subjects whose failed guesses are counted."""

    def __init__(self, settings: Settings) -> None:
        self._key = derived_key(settings, "device tokens")
        self._subject_key = derived_key(settings, "throttle subjects")

    def new(self, email: str) -> str:
        """Return a token of a new device of an account. It contains no e-mail address."""
        nonce = token_bytes(_NONCE_BYTES)
        return urlsafe_b64encode(nonce + self._signature(email, nonce)).decode().rstrip("=")

    def device(self, token: str | None, email: str) -> bytes | None:
        """Return the id of the device; None without a token, or if it is of another account."""
        if not token:
            return None
        try:
            decoded = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        nonce, signature = decoded[:_NONCE_BYTES], decoded[_NONCE_BYTES:]
        is_ours = len(decoded) == _NONCE_BYTES + _DIGEST_BYTES
        return nonce if is_ours and hmac.compare_digest(signature, self._signature(email, nonce)) else None

    def account(self, email: str) -> bytes:
        """Return the subject of guesses for an account from devices without a token of it."""
        return self._subject("account", email.encode())

    def account_on_device(self, email: str, device: bytes) -> bytes:
        """Return the subject of guesses for an account on one of its devices."""
        return self._subject("device", device, email.encode())

    def signed_in(self, email: str) -> bytes:
        """Return the subject of wrong passwords of somebody who is signed in to the account."""
        return self._subject("signed in", email.encode())

    def registration(self, token_sha256: bytes) -> bytes:
        """Return the subject of wrong passwords of somebody who has the link of a registration."""
        return self._subject("registration", token_sha256)

    def address(self, address: str) -> bytes:
        """Return the subject of guesses for any account from an address."""
        return self._subject("address", address_block(address).encode())

    def _signature(self, email: str, nonce: bytes) -> bytes:
        return hmac.digest(self._key, nonce + email.encode(), hashlib.sha256)

    def _subject(self, kind: str, *parts: bytes) -> bytes:
        return hmac.digest(self._subject_key, b"\0".join((kind.encode(), *parts)), hashlib.sha256)
