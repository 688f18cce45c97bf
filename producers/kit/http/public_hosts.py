"""Requests to URLs that people enter: to the public internet only, never into the platform's own network.

A host is resolved and checked each time before it is called, and the call connects to the addresses that were
checked. A name that changes its address between check and call (DNS rebinding) gains nothing. `open_session`
follows no redirect by itself: the address of each is checked like the first one.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

import aiohttp
from yarl import URL

from common.http_client import FixedResolver

RESOLVE_TIMEOUT_S = 5.0

MAX_HEADER_BYTES = 8_192

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

IsAllowed = Callable[[str], bool]
"""Whether an IP address may be called: `is_public`, or another rule for development."""


class UrlRefused(Exception):
    """Nothing is sent to the URL. The text says why and what to do."""

    def __init__(self, kind: Literal["bad_url", "unknown_host", "internal_address"], text: str) -> None:
        self.kind = kind
        super().__init__(text)


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


def is_any(_address: str) -> bool:
    """Return True: for development, internal addresses are allowed, too."""
    return True


def parse_url(text: str, schemes: Collection[str], max_length: int, example: str) -> URL:
    """Return the URL that somebody entered, without its fragment.

    Args:
        text: the URL as it was entered.
        schemes: `https`, or `http` and `https`.
        max_length: the largest number of characters.
        example: a URL for the text of a refusal.

    Raises:
        UrlRefused: it is not a URL of one of these schemes with a host.
    """
    if len(text) > max_length or not _PLAIN.fullmatch(text):
        raise UrlRefused("bad_url", f"Enter a URL of at most {max_length:,} ASCII characters without blanks.")
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError as error:
        raise UrlRefused("bad_url", f"This is not a URL such as {example}.") from error
    if url.scheme not in schemes:
        allowed = " or ".join(f"{scheme}://" for scheme in sorted(schemes, reverse=True))
        raise UrlRefused("bad_url", f"The URL must begin with {allowed}.")
    if not host or not port:
        raise UrlRefused("bad_url", f"The URL needs a host, such as {example}.")
    if url.user is not None or url.password is not None:
        raise UrlRefused("bad_url", "The URL must not contain a user or a password.")
    return url.with_fragment(None)


async def checked_addresses(
    url: URL, is_allowed: IsAllowed = is_public, resolve: Resolve = resolve_host
) -> Sequence[str]:
    """Return the addresses of a URL's host to connect to.

    Raises:
        UrlRefused: the host is not known, or one of its addresses is not allowed.
    """
    host = url.raw_host or ""
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            addresses = await resolve(host, url.port or 443)
    except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
        raise UrlRefused("unknown_host", f"The host {host} can't be found. Check its name.") from error
    if not addresses:
        raise UrlRefused("unknown_host", f"The host {host} can't be found. Check its name.")
    if not all(is_allowed(address) for address in addresses):
        raise UrlRefused(
            "internal_address",
            f"{host} is an internal address. Enter a host that the public internet can reach.",
        )
    return addresses


def open_session(addresses: Sequence[str], timeout_s: float) -> aiohttp.ClientSession:
    """Return a session that connects to these addresses, whatever the host of a URL resolves to by now.

    It has no cookies and no proxy, and decompresses nothing. `timeout_s` is for a whole request. Pass
    `allow_redirects=False` with each.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=FixedResolver(addresses), force_close=True),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )
