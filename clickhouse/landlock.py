"""Landlock (`landlock(7)`): the kernel denies a process access to every file outside a list."""

import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from landlockpy import AccessFS, Ruleset, Scope

READ = AccessFS.READ_FILE | AccessFS.READ_DIR
LOAD = READ | AccessFS.EXECUTE
CHANGE = (
    READ | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG | AccessFS.MAKE_DIR
    | AccessFS.MAKE_SYM | AccessFS.REMOVE_FILE | AccessFS.REMOVE_DIR | AccessFS.REFER
)  # fmt: skip

_OF_FILES = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.EXECUTE

LIBRARIES = (
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    Path(sys.base_prefix, "lib"),
    *map(Path, ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")),
)
"""Python's packages and the machine's libraries."""

TIME_ZONES = (Path("/etc/localtime"), Path("/usr/share/zoneinfo"))

LOADER = (Path("/proc/self/maps"), Path("/proc/self/auxv"))
"""Memory addresses: when it is imported, the engine reads where the main thread's stack ends."""


def restrict(rules: Mapping[Path, AccessFS]) -> None:
    """Confine the calling thread, and all threads and processes that it starts from now on, to these paths.

    A path that does not exist is left out. Signals to other processes and abstract Unix sockets of others are
    refused, too.

    Raises:
        LandlockError: the kernel has no Landlock, or refuses a rule.
    """
    with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as ruleset:
        for path, access in rules.items():
            if path.exists():
                ruleset.allow_path(path, access if path.is_dir() else access & _OF_FILES)
        ruleset.restrict()
