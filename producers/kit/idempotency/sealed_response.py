"""Identifies requests with an `Idempotency-Key` and encrypts their responses, without storing the key."""

import hashlib
import hmac
import os
from dataclasses import dataclass

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.responses import Response

from common.principal_token import derived_key
from common.settings import Settings

STORED_HEADERS = ("content-type", "location", "cache-control", "etag")
"""The headers of a response that are stored. The others belong to one connection or one attempt."""

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """Identifies a request: its sender, its route and its key."""

    request_id: bytes
    """The primary key of the stored response."""
    cipher_key: bytes
    """Encrypts the response. Only a request with the same key can derive it."""


class ResponseSealer:
    """Derives the ids of requests and encrypts responses, with keys that derive from `internal_secret`.

    A stored response reveals neither who sent the request nor what the response says.
    """

    def __init__(self, settings: Settings) -> None:
        self._id_key = derived_key(settings, "ids of requests with an idempotency key")
        self._cipher_key = derived_key(settings, "responses to requests with an idempotency key")

    def keyed(self, subject: str, route: str, key: str) -> KeyedRequest:
        """Return the identity of a request. `route` is the method and the path's template."""
        identity = orjson.dumps([subject, route, key])
        return KeyedRequest(
            hmac.digest(self._id_key, identity, hashlib.sha256),
            hmac.digest(self._cipher_key, identity, hashlib.sha256),
        )


def seal(request: KeyedRequest, response: Response) -> bytes:
    """Return the encrypted headers and body of a response (AES-256-GCM)."""
    headers = {name: value for name in STORED_HEADERS if (value := response.headers.get(name)) is not None}
    head = orjson.dumps(headers)
    content = len(head).to_bytes(4, "big") + head + bytes(response.body)
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(request.cipher_key).encrypt(nonce, content, request.request_id)


def unseal(request: KeyedRequest, status: int, sealed: bytes) -> Response:
    """Return a stored response.

    Raises:
        cryptography.exceptions.InvalidTag: it was stored with another `internal_secret`, or altered.
    """
    nonce, encrypted = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    content = AESGCM(request.cipher_key).decrypt(nonce, encrypted, request.request_id)
    end = 4 + int.from_bytes(content[:4], "big")
    return Response(content[end:], status, orjson.loads(content[4:end]))
