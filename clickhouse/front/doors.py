"""Which requests come from this machine: web pages of strangers can send a browser here, too.

The reader has no password and the front listens on loopback only, so a foreign page must not get in through
a browser: neither by a request across sites, nor under a name of its own that it let point to 127.0.0.1.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from clickhouse.front.errors import DatabaseError


class Doors:
    """Lets in who asks for a loopback name or address, or for one of `names` (the setting's, by commas)."""

    def __init__(self, names: str = "") -> None:
        self._names = frozenset(filter(None, (name.strip().lower() for name in names.split(","))))

    def refusal(self, headers: Mapping[bytes, bytes]) -> DatabaseError | None:
        """Why a request with these headers (names in lower case) is not served; None when it is."""
        host, origin = (headers.get(name, b"").decode("latin-1") for name in (b"host", b"origin"))
        if host and not self._ours(f"//{host}"):
            return _refused(f"the host {host} is not this machine's")
        if origin:
            return None if self._ours(origin) else _refused(f"pages of {origin} may not ask")
        if headers.get(b"sec-fetch-site") == b"cross-site":
            return _refused("pages of other sites may not ask")
        return None

    def _ours(self, url: str) -> bool:
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
    hint = "SOUK_CLICKHOUSE_HOSTS names the hosts that are allowed beside this machine"
    return DatabaseError(497, "ACCESS_DENIED", f"Not enough privileges: {reason} ({hint}).")
