"""Calls to supervisord: XML-RPC over HTTP on a unix socket."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

from common.errors import PartUnavailable

CALL_TIMEOUT_S = 5.0


def call(path: Path, method: str, *arguments: Any) -> Any:
    """One call, such as `supervisor.getState`, on a connection of its own to the socket at `path`.

    Raises:
        PartUnavailable: supervisord does not answer, or refuses.
    """
    namespace, name = method.split(".")
    try:
        with xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(path)) as server:
            return getattr(getattr(server, namespace), name)(*arguments)
    except xmlrpc.client.Fault as fault:
        raise PartUnavailable(f"the supervisor does not {name} {arguments}: {fault.faultString}") from fault
    except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
        raise PartUnavailable(f"the supervisor does not answer ({error}): run `./souk up` again") from error


class _Transport(xmlrpc.client.Transport):
    """Makes one connection to the unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ARG002 - the socket is the host
        """Called by ServerProxy."""
        return _Connection(self._path)


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket, with a timeout."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=CALL_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
