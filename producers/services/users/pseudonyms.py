"""Links people to the ids under which they buy, by a key for each person that erasure destroys.

Topics, facts and the other services know a person only by shopper ids: a random one of their own, and those
of their time as a guest. No personal field is in an event. The links are in this service's tables, encrypted
with the person's key. That key is itself encrypted with a key that derives from `internal_secret`. After the
person's key and the links are deleted, nothing links the ids to a person: see docs/decisions/erasure.md.
"""

import hashlib
import hmac

from common.principal_token import derived_key
from common.settings import Settings
from producers.kit.encryption import new_key, seal, unseal


class Pseudonyms:
    """Encrypts and reads the links. Its methods raise `NotDecryptable` if `internal_secret` has changed."""

    def __init__(self, settings: Settings) -> None:
        self._key = derived_key(settings, "person keys")
        self._digest_key = derived_key(settings, "guest id digests")

    def new_person_key(self, user_id: str) -> tuple[bytes, bytes]:
        """Return a new key of a person, and the same key encrypted, for storing it."""
        key = new_key()
        return key, seal(self._key, key, user_id)

    def person_key(self, user_id: str, sealed_key: bytes) -> bytes:
        """Return the key of a person."""
        return unseal(self._key, sealed_key, user_id)

    def guest_digest(self, guest_id: str) -> bytes:
        """Return the HMAC of a guest's id, which finds the id's link without showing the id."""
        return hmac.digest(self._digest_key, guest_id.encode(), hashlib.sha256)


def link(person_key: bytes, user_id: str, shopper_id: str) -> bytes:
    """Return the encrypted link from a person to one of their shopper ids."""
    return seal(person_key, shopper_id.encode(), user_id)


def linked(person_key: bytes, user_id: str, sealed: bytes) -> str:
    """Return the shopper id of a link."""
    return unseal(person_key, sealed, user_id).decode()
