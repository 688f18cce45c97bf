"""Builds the engine and the HTTP application, and serves until a signal ends the process."""

import signal
import socket
from pathlib import Path

import structlog
import uvicorn

from clickhouse.engine import Engine
from common import gc_tuning
from common.http_protocol import DeadlineProtocol, server_config
from common.settings import Settings
from local.embedded_clickhouse.app import ClickHouseApp
from local.embedded_clickhouse.config import config_file
from local.embedded_clickhouse.host_check import HostCheck
from local.embedded_clickhouse.users import Users
from local.embedded_clickhouse.watchdog import Watchdog

log = structlog.get_logger()

_SHUTDOWN_TIMEOUT_S = 5


class ClickHouseProtocol(DeadlineProtocol):
    """Accepts longer heads, because queries and their parameters may be in the URL (1 MB in ClickHouse)."""

    max_head_bytes = 256 << 10


def run(settings: Settings, home: Path, listener: socket.socket, *, unconfined: str) -> None:
    """Serve on `listener` until SIGTERM or SIGINT.

    `home` holds the engine's configuration and data. `unconfined` is why the process is not confined, or
    empty if it is.
    """
    engine = Engine(home / "data", config_file(home / "config"), home / "tmp")
    watchdog = Watchdog(home / "work" / "endless_queries.json")
    users = Users(settings, unconfined=unconfined)
    config = server_config(
        ClickHouseApp(engine, users, HostCheck(settings.clickhouse_hosts), watchdog),
        ClickHouseProtocol,
        loop="uvloop",
        timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
        backlog=512,
    )
    log.info(
        "ready",
        port=settings.port("clickhouse"),
        version=engine.version,
        data=str(home),
        confined=not unconfined,
    )
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises these signals again after it has stopped
        signal.signal(number, lambda *_: None)
    gc_tuning.tune_gc()
    watchdog.log_ready()
    watchdog.start()
    uvicorn.Server(config).run(sockets=[listener])
    watchdog.stop()
    engine.close()
