"""Confines the process with Landlock (`landlock(7)`): the kernel denies access to files outside an allowlist.

Readers write SQL, and the engine has functions that open files. Once `confine` has run, no query can open a
file outside the server's own directories: neither `secrets.toml` nor `/proc/self/environ`, which
contain passwords. The kernel also refuses outgoing TCP connections.
"""

import os
import sys
import sysconfig
import tempfile
from pathlib import Path

from landlockpy import AccessFS, LandlockError, Ruleset, Scope

from common.settings import ROOT

_READ = AccessFS.READ_FILE | AccessFS.READ_DIR
_LOAD = _READ | AccessFS.EXECUTE
_FILES_ONLY = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.EXECUTE
_CHANGE = (
    _READ
    | AccessFS.WRITE_FILE
    | AccessFS.TRUNCATE
    | AccessFS.MAKE_REG
    | AccessFS.MAKE_DIR
    | AccessFS.MAKE_SYM
    | AccessFS.REMOVE_FILE
    | AccessFS.REMOVE_DIR
    | AccessFS.REFER
)

_WRITABLE = ("data", "work", "tmp")
"""The server's directories, under its home, in which it may create, change and remove files."""

_MODULES = (ROOT / "clickhouse", ROOT / "common")
"""Our own code. Not `ROOT`, which may contain the platform's home with its secrets."""

_PACKAGES = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))

_LIBRARIES = (
    Path(sys.base_prefix, "lib"),
    *map(Path, ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")),
    Path(sys.executable).resolve(),
)

_MACHINE = tuple(
    map(Path, ("/etc/localtime", "/usr/share/zoneinfo", "/sys/fs/cgroup", "/sys/devices/system"))
)
"""The time zone, and the memory and cores that this process may use."""

_DEVICES = (Path("/dev/null"), Path("/dev/urandom"))

_LOADER = (Path("/proc/self/maps"), Path("/proc/self/auxv"))
"""Memory addresses: when it is imported, the engine reads where the main thread's stack ends."""


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
    rules = {home / name: _CHANGE for name in _WRITABLE} | {home / "config": _READ}
    rules |= dict.fromkeys((*_PACKAGES, *_LIBRARIES), _LOAD)
    rules |= dict.fromkeys((*_MODULES, *_MACHINE, *_LOADER, *_STATISTICS), _READ)
    rules |= dict.fromkeys(_DEVICES, AccessFS.READ_FILE | AccessFS.WRITE_FILE)
    try:
        with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as ruleset:
            for path, access in rules.items():
                if path.exists():
                    ruleset.allow_path(path, access if path.is_dir() else access & _FILES_ONLY)
            ruleset.restrict()
    except LandlockError as error:
        return f"the kernel refuses Landlock: {error.strerror}"
    return ""
