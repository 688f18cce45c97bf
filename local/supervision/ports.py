"""Whether the ports of a part are free, and who has them if not."""

import errno
import socket

import psutil

from common.errors import UserError
from common.settings import LOOPBACK


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def owner(port: int) -> str:
    """Who listens on a port, as far as we may see: `pid 123 (java)`, or `another process`."""
    try:
        pids = [
            seen.pid
            for seen in psutil.net_connections("tcp")
            if seen.status == psutil.CONN_LISTEN and seen.laddr and seen.laddr.port == port and seen.pid
        ]
        return f"pid {pids[0]} ({psutil.Process(pids[0]).name()})" if pids else "another process"
    except psutil.Error:
        return "another process"


def require_free(part: str, ports: dict[str, int], offset: int) -> None:
    """Check the ports of a part that is about to start.

    Raises:
        UserError: one is taken; the message names part, port and owner, and says what to do.
    """
    for name, port in ports.items():
        if not 0 < port < 65_536:
            raise UserError(
                f"{part} can't use port {port} ({name}): choose a smaller SOUK_PORT_OFFSET than {offset}"
            )
        if not is_free(port):
            raise UserError(
                f"{part} needs port {port} ({name}), but {owner(port)} listens there: stop it, or move this "
                f"copy to other ports with SOUK_PORT_OFFSET (now {offset}), for example {offset + 100}"
            )
