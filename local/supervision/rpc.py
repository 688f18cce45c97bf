"""Calls to supervisord: XML-RPC over HTTP on a unix socket."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import Faults

from common.errors import PartUnavailable

CALL_TIMEOUT_S = 5.0


class ProcessNotRunning(PartUnavailable):
    """The process that was to be stopped had already ended."""


def call(path: Path, method: str, *arguments: Any) -> Any:
    """Call one method, such as `supervisor.getState`, on a new connection to the socket at `path`.

    Raises:
        ProcessNotRunning: a process was to be stopped that had ended.
        PartUnavailable: supervisord does not answer, or returns an error.
    """
    namespace, name = method.split(".")
    try:
        with xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(path)) as server:
            return getattr(getattr(server, namespace), name)(*arguments)
    except xmlrpc.client.Fault as fault:
        kind = ProcessNotRunning if fault.faultCode == Faults.NOT_RUNNING else PartUnavailable
        raise kind(f"the supervisor refused {name}{arguments}: {fault.faultString}") from fault
    except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
        raise PartUnavailable(f"the supervisor does not answer ({error}): run `./souk up` again") from error


class _Transport(xmlrpc.client.Transport):
    """Connects to the unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ARG002 - the socket is the host
        """Return a connection; `ServerProxy` calls this."""
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
