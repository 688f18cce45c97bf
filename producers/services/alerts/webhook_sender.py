"""Sends one webhook to the addresses that were checked. It follows no redirect and reads no body."""

from collections.abc import Mapping

import aiohttp

from common.http_client import FixedResolver
from producers.services.alerts.webhook_address import (
    Resolve,
    WebhookRefused,
    checked_addresses,
    parse_webhook_url,
    resolve_host,
)

TIMEOUT_S = 10.0
"""The longest time from the connection to the headers of the response."""

MAX_HEADER_BYTES = 8_192

GONE = 410
"""With this status, a receiver asks for no more messages."""


class WebhookFailed(Exception):
    """The receiver did not accept the message. The text says why, for the seller."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        self.is_final = is_final
        """Whether another attempt would fail, too."""
        super().__init__(text)


class WebhookSender:
    """Sends webhooks. `allows_internal` is for development; see `parse_webhook_url`."""

    def __init__(self, allows_internal: bool, resolve: Resolve = resolve_host) -> None:
        self._allows_internal = allows_internal
        self._resolve = resolve

    async def check(self, url: str) -> None:
        """Check that messages may be sent to a URL.

        Raises:
            WebhookRefused: they may not.
        """
        await checked_addresses(
            parse_webhook_url(url, self._allows_internal), self._allows_internal, self._resolve
        )

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send a JSON body with POST.

        Raises:
            WebhookFailed: the receiver may not be called, does not answer in time, or does not answer 2xx.
        """
        try:
            parsed = parse_webhook_url(url, self._allows_internal)
            addresses = await checked_addresses(parsed, self._allows_internal, self._resolve)
        except WebhookRefused as error:
            raise WebhookFailed(str(error)) from error
        sent = {"Content-Type": "application/json", "User-Agent": "Souk-Webhooks/1", **headers}
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(resolver=FixedResolver(addresses), force_close=True),
                    timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    max_line_size=MAX_HEADER_BYTES,
                    max_field_size=MAX_HEADER_BYTES,
                ) as session,
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
