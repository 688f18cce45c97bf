"""Refuses requests that web pages of other sites send through a browser on this machine.

The reader has no password, because the server listens on loopback only. A web page could still reach it by a
cross-site request, or by a host name that resolves to 127.0.0.1 (DNS rebinding).
"""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from clickhouse.http_server.errors import DatabaseError

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::\d+)?", re.ASCII)
"""`host` or `host:port`, without a user (`127.0.0.1:8000@evil.example`) or a path."""


class HostCheck:
    """Accepts loopback names and addresses, and the hosts in `names`, separated by commas."""

    def __init__(self, names: str = "") -> None:
        self._names = frozenset(filter(None, (name.strip().lower() for name in names.split(","))))

    def refusal(self, headers: Mapping[bytes, bytes]) -> DatabaseError | None:
        """Return the error for a request with these headers (lower-case names), or None if it is allowed."""
        host, origin = (headers.get(name, b"").decode("latin-1") for name in (b"host", b"origin"))
        if host and not (_HOST.fullmatch(host) and self._is_allowed(f"//{host}")):
            return _refused(f"the host {host} is not this machine")
        if origin:
            return None if self._is_allowed(origin) else _refused(f"pages of {origin} may not send requests")
        if headers.get(b"sec-fetch-site") == b"cross-site":
            return _refused("pages of other sites may not send requests")
        return None

    def _is_allowed(self, url: str) -> bool:
        try:
            name = urlsplit(url).hostname or ""
        except ValueError:
            return False
        if name == "localhost" or name.endswith(".localhost") or name in self._names:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _refused(reason: str) -> DatabaseError:
    hint = "to allow another host, add it to SOUK_CLICKHOUSE_HOSTS"
    return DatabaseError(497, "ACCESS_DENIED", f"Not enough privileges: {reason} ({hint}).")
