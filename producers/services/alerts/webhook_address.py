"""Checks where a webhook may go: to hosts of the public internet only, never into the platform's own network.

A host is resolved and checked each time before it is called, and the call connects to the addresses that were
checked. A name that changes its address between check and call (DNS rebinding) gains nothing.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

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
