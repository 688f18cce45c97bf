"""Encrypts small values with AES-256-GCM: private keys, secrets, and the links from people to shopper ids."""

from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


class NotDecryptable(Exception):
    """The value was encrypted with another key or for another owner, or it was changed."""


def new_key() -> bytes:
    """Return a random key."""
    return token_bytes(KEY_BYTES)


def seal(key: bytes, value: bytes, owner: str) -> bytes:
    """Return a value encrypted with a key. It can only be read as that of the same owner."""
    nonce = token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, value, owner.encode())


def unseal(key: bytes, sealed: bytes, owner: str) -> bytes:
    """Return the value that `seal` encrypted.

    Raises:
        NotDecryptable: the key or the owner is another one.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode())
    except (InvalidTag, ValueError) as error:
        raise NotDecryptable from error
