"""The directory of all state of one copy of the platform, and the lock that `up` and `down` hold."""

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from common.errors import UserError
from common.file_lock import file_lock
from common.settings import Settings
from common.urls import redact_password

SOCKET_PATH_LIMIT = 107
"""Bytes that Linux allows in the path of a unix socket."""

SOCKET_SUFFIX_ROOM = len(".4194304.x")
"""Length of the suffix of `<path>.<pid>`, to which supervisord first binds its socket."""

MIN_FREE_BYTES = 300 * 1024 * 1024


@dataclass(frozen=True)
class StateDirectory:
    """Paths of the files under `settings.home`."""

    path: Path

    @property
    def run(self) -> Path:
        """Files about running processes: launch files, process records, sockets, the lock."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """The folder of the logs, `<part>.log`."""
        return self.path / "logs"

    def log(self, name: str) -> Path:
        """Return the path of a part's log."""
        return self.logs / f"{name}.log"

    def part_directory(self, part: str) -> Path:
        """Return a part's own directory."""
        return self.path / part

    def socket(self) -> Path:
        """Return the supervisor's socket: in `run/`, or in a runtime directory if that path is too long."""
        inside = self.run / "supervisor.sock"
        if len(os.fsencode(inside)) + SOCKET_SUFFIX_ROOM <= SOCKET_PATH_LIMIT:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        return base / f"souk-{os.getuid()}-{digest}" / "s.sock"

    def make_socket_directory(self) -> None:
        """Create the socket's directory with access for this user only.

        Raises:
            UserError: the directory exists and other users own it or have access.
        """
        folder = self.socket().parent
        folder.mkdir(mode=0o700, exist_ok=True)
        info = folder.lstat()
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid() or info.st_mode & 0o077:
            raise UserError(
                f"{folder} is not a private directory of yours: remove it, or set XDG_RUNTIME_DIR"
            )

    def make_private(self) -> None:
        """Remove all access of other users to the home, its directories and its secrets."""
        for path in (self.path, *self.path.iterdir(), *self.run.glob("*.json")):
            with suppress(FileNotFoundError):  # another step may replace a file at any time
                info = path.lstat()
                if stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid():
                    path.chmod(0o700)
                elif stat.S_ISREG(info.st_mode) and path.suffix in (".json", ".toml"):
                    path.chmod(0o600)

    def make(self) -> None:
        """Create the directories, without access for other users.

        Raises:
            UserError: the directory can't be written, or the disk is nearly full.
        """
        try:
            for folder in (self.path, self.run, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.make_private()
            (self.run / "lock").touch()
            self.make_socket_directory()
        except OSError as error:
            raise UserError(
                f"can't write the state directory {self.path} ({error.strerror}): "
                "set SOUK_HOME to another directory"
            ) from error
        free = shutil.disk_usage(self.path).free
        if free < MIN_FREE_BYTES:
            raise UserError(
                f"the disk of {self.path} has only {free // 2**20} MB free (at least "
                f"{MIN_FREE_BYTES // 2**20} MB are needed): free some space, or set SOUK_HOME to another disk"
            )

    @contextmanager
    def locked(self, console: Console) -> Iterator[None]:
        """Hold the lock of this copy; waits for another `up` or `down` to finish."""

        def report(pid: str) -> None:
            console.print(f"waiting for another `./souk up` or `down` (pid {pid})")

        with file_lock(self.run / "lock", report):
            yield


def base_environment() -> dict[str, str]:
    """Return the variables of the caller's environment that every process gets.

    Every process runs in UTC, so that the times in all logs are in UTC.
    """
    names = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")
    return {
        "PATH": os.defpath,
        **{name: os.environ[name] for name in names if name in os.environ},
        "TZ": "UTC",
    }


SECRETS_IN_URL: Mapping[str, frozenset[str]] = {
    "registry_url": frozenset({"registry_password"}),
    "redis_url": frozenset({"redis_password"}),
    "postgres_url": frozenset({"postgres_admin_password", "postgres_role_secret"}),
}
"""Settings whose URL has a password instead of these settings, if a server of your own is used."""


def settings_environment(settings: Settings, secrets: Collection[str] | None = None) -> dict[str, str]:
    """Return environment variables from which `Settings.load()` reads the same settings.

    With `secrets`, the names of the passwords that a process needs, it gets no others: each of the others is
    an empty variable, so that the process does not take it from `secrets.toml` either.
    """
    values = settings.model_dump(include=settings.model_fields_set | {"home", "install"})
    environment = {f"SOUK_{name.upper()}": _as_text(value) for name, value in values.items()}
    if secrets is None:
        return environment
    for name, value in values.items():
        if isinstance(value, SecretStr) and name not in secrets:
            environment[f"SOUK_{name.upper()}"] = ""
        elif name in SECRETS_IN_URL and not SECRETS_IN_URL[name].intersection(secrets):
            environment[f"SOUK_{name.upper()}"] = redact_password(value)
    return environment


def _as_text(value: object) -> str:
    """Return the value of a setting as `Settings` reads it from the environment."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value) if isinstance(value, dict) else str(value)
