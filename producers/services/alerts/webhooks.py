"""Sends webhooks: to hosts of the public internet only, never into the platform's own network.

A host is resolved and checked each time before it is called, and the call connects to the addresses that were
checked. A name that changes its address between check and call (DNS rebinding) gains nothing. The call
follows no redirect and reads no body. It is signed as Standard Webhooks describes (standardwebhooks.com), for
which there are libraries.
"""

import asyncio
import hashlib
import hmac
import re
import socket
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from secrets import token_bytes

import aiohttp
from yarl import URL

from common.http_client import FixedResolver

MAX_URL_LENGTH = 500

RESOLVE_TIMEOUT_S = 5.0

_PLAIN = re.compile(r"[!#-;=?-\[\]-~]+")
"""Printable ASCII without blanks, quotation marks, <, > and backslashes, on which parsers differ."""

_UNICAST6 = IPv6Network("2000::/3")
_TUNNELS = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))
"""Teredo and 6to4: their addresses contain an IPv4 address, which could be an internal one."""

_SPECIAL = tuple(IPv4Network(each) for each in ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24"))
"""What `ipaddress` of Python 3.11 calls global besides: the metadata of Azure's servers, and two networks for
protocols (RFC 6890, RFC 7526), in which Oracle's servers find their metadata."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port → its IP addresses. Raises OSError if there are none."""

TIMEOUT_S = 10.0
"""The longest time from the connection to the headers of the response."""

MAX_HEADER_BYTES = 8_192

GONE = 410
"""With this status, a receiver asks for no more messages."""

PREFIX = "whsec_"
SECRET_BYTES = 32


class WebhookRefused(Exception):
    """Nothing may be sent to the address. The text says why and what to do."""


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Return the IP addresses of a host, in the order in which they should be tried."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet.

    Loopback, private, link-local, shared (CGNAT), reserved and multicast addresses are not, nor are those
    of metadata services, nor IPv6 addresses that contain an IPv4 address.
    """
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        is_tunnel = any(parsed in network for network in _TUNNELS)
        return parsed in _UNICAST6 and parsed.is_global and not is_tunnel and parsed.scope_id is None
    is_special = any(parsed in network for network in _SPECIAL)
    return parsed.is_global and not (is_special or parsed.is_multicast or parsed.is_reserved)


def parse_webhook_url(text: str, allows_internal: bool) -> URL:
    """Return the URL of a webhook.

    Args:
        text: the URL as the seller entered it.
        allows_internal: whether internal addresses and http are allowed, for development.

    Raises:
        WebhookRefused: it is not an https URL with a host name.
    """
    if len(text) > MAX_URL_LENGTH or not _PLAIN.fullmatch(text):
        raise WebhookRefused(f"Enter a URL of at most {MAX_URL_LENGTH} ASCII characters without blanks.")
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError as error:
        raise WebhookRefused("This is not a URL such as https://hooks.example.com/alerts.") from error
    if url.scheme != "https" and not (allows_internal and url.scheme == "http"):
        raise WebhookRefused("The URL must begin with https://.")
    if not host or not port:
        raise WebhookRefused("The URL needs a host, such as https://hooks.example.com/alerts.")
    if url.user is not None or url.password is not None:
        raise WebhookRefused("The URL must not contain a user or a password. The signature shows who sends.")
    return url.with_fragment(None)


async def checked_addresses(
    url: URL, allows_internal: bool, resolve: Resolve = resolve_host
) -> Sequence[str]:
    """Return the addresses of a webhook's host to connect to.

    Raises:
        WebhookRefused: the host is not known, or one of its addresses is internal.
    """
    host = url.raw_host or ""
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            addresses = await resolve(host, url.port or 443)
    except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
        raise WebhookRefused(f"The host {host} can't be found. Check its name.") from error
    if not addresses:
        raise WebhookRefused(f"The host {host} can't be found. Check its name.")
    if not allows_internal and not all(is_public(address) for address in addresses):
        raise WebhookRefused(
            f"{host} is an internal address. Enter a host that the public internet can reach."
        )
    return addresses


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
