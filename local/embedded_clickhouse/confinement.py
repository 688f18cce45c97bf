"""Confines the process with Landlock (`landlock(7)`): the kernel denies access to files outside an allowlist.

Readers write SQL, and the engine has functions that open files. Once `confine` has run, no query can open a
file outside the server's own directories: neither `secrets.toml` nor `/proc/self/environ`, which
contain passwords. The kernel also refuses outgoing TCP connections.
"""

import os
import sys
import tempfile
from pathlib import Path

from landlockpy import AccessFS, LandlockError

from clickhouse import landlock
from common.settings import ROOT

_WRITABLE = ("data", "work", "tmp")
"""The server's directories, under its home, in which it may create, change and remove files."""

_MODULES = (Path(__file__).parent, ROOT / "clickhouse", ROOT / "common")
"""Our own code. Not `ROOT`, which may contain the platform's home with its secrets."""

_MACHINE = (Path("/sys/fs/cgroup"), Path("/sys/devices/system"))
"""The memory and cores that this process may use."""

_DEVICES = (Path("/dev/null"), Path("/dev/urandom"))

_STATISTICS = tuple(Path("/proc", name) for name in ("stat", "self/stat", "self/limits", "self/fd"))
"""The sources of Prometheus' process metrics."""


def confine(home: Path) -> str:
    """Confine the calling thread, and every thread and process that it starts from now on, to `home`.

    Call this before the engine is imported, because the import starts threads, and Landlock does not confine
    running threads. The directories `data`, `work` and `tmp` of `home` must exist; they may be written,
    `config` may be read. Temporary files go to `tmp` from now on.

    Returns:
        Why the process is not confined, if the kernel has no Landlock; empty if it is confined.
    """
    os.environ["TMPDIR"] = str(home / "tmp")
    tempfile.tempdir = None  # so that Python reads TMPDIR again
    rules = {home / name: landlock.CHANGE for name in _WRITABLE} | {home / "config": landlock.READ}
    rules |= dict.fromkeys((*landlock.LIBRARIES, Path(sys.executable).resolve()), landlock.LOAD)
    rules |= dict.fromkeys(
        (*_MODULES, *_MACHINE, *_STATISTICS, *landlock.TIME_ZONES, *landlock.LOADER), landlock.READ
    )
    rules |= dict.fromkeys(_DEVICES, AccessFS.READ_FILE | AccessFS.WRITE_FILE)
    try:
        landlock.restrict(rules)
    except LandlockError as error:
        return f"the kernel refuses Landlock: {error.strerror}"
    return ""
