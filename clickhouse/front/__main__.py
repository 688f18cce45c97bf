"""`python -m clickhouse.front`: ClickHouse's HTTP interface over the engine inside this process."""

import fcntl
import os
import signal
import socket
import sys
from pathlib import Path
from typing import IO

import structlog
import uvicorn

from clickhouse.front.app import Front
from clickhouse.front.config import write_config
from clickhouse.front.doors import Doors
from clickhouse.front.engine import Engine
from clickhouse.front.users import Users
from common import garbage, realtime
from common.errors import SoukError, UserError
from common.patience import SERVERS_KEEP_S
from common.settings import LOOPBACK, Settings
from common.telemetry import configure_logging

log = structlog.get_logger()

_LEAVING_S = 5


def only_one(home: Path) -> IO[str]:
    """Take the directory for this process; it stays taken while the returned file is open.

    Raises:
        UserError: another front has it.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "front.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        raise UserError(f"another ClickHouse front (process {owner}) already serves {home}") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def listen(port: int) -> socket.socket:
    """A listening socket on loopback.

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
        UserError: the port or the directory is taken.
    """
    home = settings.home / "clickhouse"
    lock = only_one(home)
    listener = listen(settings.port("clickhouse"))
    work = home / "work"
    work.mkdir(exist_ok=True)
    os.chdir(work)  # what the engine writes beside itself must not lie in the checkout
    engine = Engine(home / "data", write_config(home / "config"))
    config = uvicorn.Config(
        Front(engine, Users(settings), Doors(settings.clickhouse_hosts)),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_LEAVING_S,
        timeout_keep_alive=SERVERS_KEEP_S,
        backlog=512,
    )
    log.info("ready", port=settings.port("clickhouse"), version=engine.version, data=str(home))
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again once it has stopped
        signal.signal(number, lambda *_: None)
    garbage.look_rarely()
    realtime.answer()  # the loop, by which every query comes and goes
    realtime.go_first(settings, realtime.FIGURES)
    uvicorn.Server(config).run(sockets=[listener])
    engine.close()
    lock.close()
    log.info("stopped")


def main() -> int:
    """Run the front; 2 when it can't start."""
    configure_logging("clickhouse")
    try:
        serve(Settings.load())
    except SoukError as error:
        print(f"clickhouse: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread of a query that can't be cancelled must not hold the process
