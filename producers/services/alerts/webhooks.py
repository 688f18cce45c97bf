"""Sends webhooks: to hosts of the public internet only (`producers/kit/http/public_hosts.py`).

The call follows no redirect and reads no body. It is signed as Standard Webhooks describes
(standardwebhooks.com), for which there are libraries.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from secrets import token_bytes

import aiohttp
from yarl import URL

from producers.kit.http.public_hosts import (
    Resolve,
    UrlRefused,
    checked_addresses,
    is_any,
    is_public,
    open_session,
    parse_url,
    resolve_host,
)

MAX_URL_LENGTH = 500

EXAMPLE_URL = "https://hooks.example.com/alerts"

TIMEOUT_S = 10.0
"""The longest time from the connection to the headers of the response."""

GONE = 410
"""With this status, a receiver asks for no more messages."""

PREFIX = "whsec_"
SECRET_BYTES = 32


def parse_webhook_url(text: str, allows_internal: bool) -> URL:
    """Return the URL of a webhook. `allows_internal`: whether http is allowed, for development.

    Raises:
        UrlRefused: it is not an https URL with a host name.
    """
    return parse_url(text, ("https", "http") if allows_internal else ("https",), MAX_URL_LENGTH, EXAMPLE_URL)


class WebhookFailed(Exception):
    """The receiver did not accept the message. The text says why, for the seller."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        self.is_final = is_final
        """Whether another attempt would fail, too."""
        super().__init__(text)


class WebhookSender:
    """Sends webhooks. `allows_internal` is for development: http, and hosts of the own network."""

    def __init__(self, allows_internal: bool, resolve: Resolve = resolve_host) -> None:
        self._allows_internal = allows_internal
        self._resolve = resolve

    async def check(self, url: str) -> tuple[URL, Sequence[str]]:
        """Return a URL to which messages may be sent, and the addresses to connect to.

        Raises:
            UrlRefused: they may not.
        """
        parsed = parse_webhook_url(url, self._allows_internal)
        is_allowed = is_any if self._allows_internal else is_public
        return parsed, await checked_addresses(parsed, is_allowed, self._resolve)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send a JSON body with POST.

        Raises:
            WebhookFailed: the receiver may not be called, does not answer in time, or does not answer 2xx.
        """
        try:
            parsed, addresses = await self.check(url)
        except UrlRefused as error:
            raise WebhookFailed(str(error)) from error
        sent = {"Content-Type": "application/json", "User-Agent": "Souk-Webhooks/1", **headers}
        try:
            async with (
                open_session(addresses, TIMEOUT_S) as session,
                session.post(parsed, data=body, headers=sent, allow_redirects=False) as response,
            ):
                status = response.status
                response.close()
        except TimeoutError as error:
            raise WebhookFailed(f"It did not answer within {TIMEOUT_S:.0f} s.") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise WebhookFailed(f"No connection, or no valid answer ({type(error).__name__}).") from error
        if not 200 <= status < 300:
            hint = " Redirects are not followed." if 300 <= status < 400 else ""
            raise WebhookFailed(f"It answered {status}.{hint}", is_final=status == GONE)


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
