"""Signs webhooks as Standard Webhooks describes (standardwebhooks.com), for which there are libraries."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from secrets import token_bytes

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_webhook_secret() -> str:
    """Return a random secret: `whsec_` and 256 bits in base 64."""
    return PREFIX + b64encode(token_bytes(SECRET_BYTES)).decode()


def signed_headers(secret: str, message_id: str, sent_at_s: int, body: bytes) -> Mapping[str, str]:
    """Return the headers of a webhook: the message's id, the time in Unix seconds, and the signature of both
    with the body (HMAC-SHA256).

    The id is the same in every attempt, so that the receiver can ignore a message that it has already.
    """
    key = b64decode(secret.removeprefix(PREFIX))
    content = f"{message_id}.{sent_at_s}.".encode() + body
    signature = b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at_s),
        "webhook-signature": f"v1,{signature}",
    }
