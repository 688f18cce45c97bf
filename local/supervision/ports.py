"""Checks that the ports of a part are free, and finds the process that uses one."""

import errno
import socket

import psutil

from common.errors import UserError
from common.settings import LOOPBACK


def is_free(port: int) -> bool:
    """Return whether a server can listen on this loopback port."""
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
    """Return the process that listens on a port, such as `pid 123 (java)`, or `another process`."""
    try:
        pids = [
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr.port == port
            and connection.pid
        ]
        return f"pid {pids[0]} ({psutil.Process(pids[0]).name()})" if pids else "another process"
    except psutil.Error:
        return "another process"


def require_free(part: str, ports: dict[str, int], offset: int) -> None:
    """Check the ports of a part that is about to start.

    Raises:
        UserError: a port is in use. The message names the part, the port and the process.
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
