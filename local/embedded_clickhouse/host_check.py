"""Refuses requests that web pages of other sites send through a browser on this machine.

The reader has no password, because the server listens on loopback only. A web page could still reach it by a
cross-site request, or by a host name that resolves to 127.0.0.1 (DNS rebinding).
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from clickhouse.sql_guard.errors import DatabaseError
from common.host_check import is_known_host


class HostCheck:
    """Accepts loopback names and addresses, and the hosts in `names`, separated by commas."""

    def __init__(self, names: str = "") -> None:
        self._names = frozenset(filter(None, (name.strip().lower() for name in names.split(","))))

    def refusal(self, headers: Mapping[bytes, bytes]) -> DatabaseError | None:
        """Return the error for a request with these headers (lower-case names), or None if it is allowed."""
        host, origin = (headers.get(name, b"").decode("latin-1") for name in (b"host", b"origin"))
        if host and not is_known_host(host, self._names):
            return _refused(f"the host {host} is not this machine")
        if origin:
            return (
                None
                if self._is_known_origin(origin)
                else _refused(f"pages of {origin} may not send requests")
            )
        if headers.get(b"sec-fetch-site") == b"cross-site":
            return _refused("pages of other sites may not send requests")
        return None

    def _is_known_origin(self, origin: str) -> bool:
        try:
            return is_known_host(urlsplit(origin).netloc, self._names)
        except ValueError:  # no valid URL
            return False


def _refused(reason: str) -> DatabaseError:
    hint = "to allow another host, add it to SOUK_CLICKHOUSE_HOSTS"
    return DatabaseError(497, "ACCESS_DENIED", f"Not enough privileges: {reason} ({hint}).")
