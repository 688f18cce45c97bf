"""`python -m local.embedded_clickhouse` serves ClickHouse's HTTP interface, with the engine inside it."""

import os
import socket
import sys

import structlog

from common.errors import SoukError, UserError
from common.file_lock import single_instance
from common.settings import LOOPBACK, Settings
from common.telemetry import configure_logging, log_start_failure
from local.embedded_clickhouse.config import write_config
from local.embedded_clickhouse.confinement import confine

log = structlog.get_logger()


def listen(port: int) -> socket.socket:
    """Return a socket that is bound to a port on loopback.

    Raises:
        UserError: the port is in use.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        raise UserError(
            f"port {port} can't be used for ClickHouse ({error.strerror}): set SOUK_PORT_OFFSET"
        ) from None
    return listener


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        UserError: the port is in use, or another server uses the directory.
    """
    home = settings.home / "clickhouse"
    with single_instance(home / "server.lock", f"another ClickHouse server of {home}"):
        listener = listen(settings.port("clickhouse"))
        write_config(home / "config")
        for name in ("data", "work", "tmp"):
            (home / name).mkdir(exist_ok=True)
        os.chdir(home / "work")  # the engine may write files to its working directory
        if unconfined := confine(home):
            log.warning("not confined: users without a password are refused", why=unconfined)

        from local.embedded_clickhouse.app import run  # importing the engine starts threads

        run(settings, home, listener, unconfined=unconfined)
    log.info("stopped")


def main() -> int:
    """Run the server and return the exit code: 2 if it can't start."""
    configure_logging("clickhouse")
    try:
        serve(Settings.load())
    except SoukError as error:
        log_start_failure(error)
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # does not wait for the threads of queries that can't be cancelled
