"""Refuses requests that a web page of another site sends through a browser on this machine.

Such a page can reach a server that listens on loopback only: with a request across sites, or under a host
name of its own that resolves to 127.0.0.1 (DNS rebinding).
"""

import ipaddress
import re
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110)."""

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z._-]+)(?::[0-9]{1,5})?", re.IGNORECASE)
"""A host name, an IPv4 address or an IPv6 address in brackets, and perhaps a port; no user and no blanks."""


def host_name(host: str) -> str:
    """Return the name or address in a `Host` header, in lower case; empty if the header is malformed."""
    found = _AUTHORITY.fullmatch(host)
    return found[1].strip("[]").lower() if found else ""


def is_known_host(host: str, names: Collection[str] = ()) -> bool:
    """Return whether a `Host` header names a loopback host, or one of `names` (in lower case)."""
    name = host_name(host)
    return name in names or is_loopback(name)


def names_of_listener(listen_host: str) -> list[str]:
    """Return the names besides loopback under which a server that listens on this address is reached.

    In a container, other containers use its host name. A server on loopback has no other name.
    """
    return [] if is_loopback(listen_host) else [socket.gethostname().lower()]


def is_loopback(name: str) -> bool:
    """Return whether a host name or an address (in lower case) means this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_other_site(method: str, headers: Headers) -> bool:
    """Return whether a page of another origin sent a request that may change something.

    The rules are those of Go's `http.CrossOriginProtection`: browsers send `Sec-Fetch-Site`, old ones only
    `Origin`, and other programs neither.
    """
    if method in SAFE_METHODS:
        return False
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:  # no valid URL
        return True
