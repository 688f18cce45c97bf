"""The format of API keys: `souk_`, 37 random characters, and a checksum of 6 characters, all in base 62.

The checksum lets the service refuse a mistyped key without a query, and lets a scanner of source code
recognise a leaked one (as GitHub's tokens).
"""

import hashlib
import hmac
import secrets
import string
import zlib
from typing import Literal, get_args

from common.principal import Principal, StaffRole

ApiScope = Literal[
    "analytics:read",
    "orders:read",
    "stock:write",
    "listings:read",
    "listings:write",
    "profile:read",
    "profile:write",
    "staff:read",
    "commission:read",
    "costs:read",
    "costs:write",
    "vouchers:read",
    "vouchers:write",
]
"""What an API key may be allowed to do. The policy of each route names its scope."""

SCOPES: tuple[str, ...] = get_args(ApiScope)

KEY_ROLE: StaffRole = "manager"
"""The staff role of every API key. Its scopes limit it further."""

PURPOSE = "api keys"
"""The purpose of the key of the digests (`common.principal_token.derived_key`)."""

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX = "souk_"
RANDOM_CHARS = 37
"""37 characters of 62 are 220 random bits."""
CHECKSUM_CHARS = 6
LENGTH = len(PREFIX) + RANDOM_CHARS + CHECKSUM_CHARS
HINT_CHARS = len(PREFIX) + 4

_CHARACTERS = frozenset(ALPHABET)


def new_api_key() -> str:
    """Return a new random key."""
    return with_checksum(PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARS)))


def with_checksum(text: str) -> str:
    """Return a text followed by its CRC-32 in base 62."""
    return text + _base62(zlib.crc32(text.encode()))


def is_well_formed(key: str) -> bool:
    """Return whether a text has the format of a key and the right checksum."""
    return (
        len(key) == LENGTH
        and key.startswith(PREFIX)
        and _CHARACTERS.issuperset(key[len(PREFIX) :])
        and key == with_checksum(key[:-CHECKSUM_CHARS])
    )


def key_digest(secret: bytes, key: str) -> bytes:
    """Return the digest under which a key is stored (HMAC-SHA256).

    The lookup by this digest takes equally long for every wrong key, because nobody without the secret can
    choose the digest.
    """
    return hmac.digest(secret, key.encode(), hashlib.sha256)


def key_hint(key: str) -> str:
    """Return the beginning of a key, by which its owner recognises it in a list."""
    return key[:HINT_CHARS] + "…"


def key_principal(key_id: str, seller_id: str, scopes: list[str]) -> Principal:
    """Return the principal of the requests with a key."""
    return Principal(
        f"key:{key_id}", frozenset({"seller"}), sellers={seller_id: KEY_ROLE}, scopes=frozenset(scopes)
    )


def _base62(number: int) -> str:
    digits = ""
    for _ in range(CHECKSUM_CHARS):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
