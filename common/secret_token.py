"""Makes the secret tokens of links and sessions, and the digests under which they are stored."""

import hashlib
from secrets import token_urlsafe


def new_token() -> str:
    """Return a random token of 256 bits."""
    return token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """Return the SHA-256 under which a token is stored. A random token needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()
