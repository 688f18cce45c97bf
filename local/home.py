"""The one directory that holds all state of a copy, and who may change it at a time."""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from common.errors import UserError
from common.settings import Settings

SOCKET_PATH_LIMIT = 107
"""Bytes that Linux allows in the path of a unix socket."""

SOCKET_SUFFIX_ROOM = len(".4194304.x")
"""supervisord binds its socket as `<path>.<pid>` first."""

LEAST_FREE_BYTES = 300 * 1024 * 1024


@dataclass(frozen=True)
class Home:
    """Where each kind of file lives under `settings.home`."""

    path: Path

    @property
    def run(self) -> Path:
        """What describes the running processes: launch files, pid records, sockets, the lock."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """One file a part: `<part>.log`."""
        return self.path / "logs"

    def log(self, name: str) -> Path:
        """The log of a part."""
        return self.logs / f"{name}.log"

    def of(self, part: str) -> Path:
        """A part's own directory."""
        return self.path / part

    def socket(self) -> Path:
        """The supervisor's socket: under `run/`, or in a runtime directory if that path is too long."""
        inside = self.run / "supervisor.sock"
        if len(os.fsencode(inside)) + SOCKET_SUFFIX_ROOM <= SOCKET_PATH_LIMIT:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        return base / f"souk-{os.getuid()}-{digest}" / "s.sock"

    def make_socket_folder(self) -> None:
        """Make the socket's directory, closed to everyone else.

        Raises:
            UserError: it belongs to someone else.
        """
        folder = self.socket().parent
        folder.mkdir(mode=0o700, exist_ok=True)
        seen = folder.lstat()
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o077:
            raise UserError(
                f"{folder} is not a private directory of yours: remove it, or set XDG_RUNTIME_DIR"
            )

    def make(self) -> None:
        """Make the directories, closed to other users where they hold secrets.

        Raises:
            UserError: the directory can't be written, or the disk is nearly full.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
            (self.run / "lock").touch()
            self.make_socket_folder()
        except OSError as error:
            raise UserError(
                f"can't write the state directory {self.path} ({error.strerror}): set SOUK_HOME to another"
            ) from error
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE_BYTES:
            raise UserError(
                f"the disk of {self.path} has only {free // 2**20} MB free (at least "
                f"{LEAST_FREE_BYTES // 2**20} MB are needed): free some, or set SOUK_HOME to another disk"
            )

    @contextmanager
    def locked(self, console: Console) -> Iterator[None]:
        """Hold the copy's lock, waiting for another `up` or `down` to finish first."""
        with (self.run / "lock").open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                console.print(f"waiting for another `./souk up` or `down` (pid {file.read().strip() or '?'})")
                fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            yield


def base_environment() -> dict[str, str]:
    """The few variables that every process gets, whatever shell `up` was called from."""
    kept = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    return {"PATH": os.defpath, **env}


def settings_environment(settings: Settings) -> dict[str, str]:
    """`settings` as the variables from which `Settings.load()` reads the same settings again."""
    given = settings.model_dump(include=settings.model_fields_set | {"home", "install"})
    return {
        f"SOUK_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in given.items()
    }
