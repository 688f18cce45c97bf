"""The walls around the process of a seller's query: what it can reach of the machine, and how much it uses.

`enter` runs before the engine is imported, because the import starts threads and Landlock (`landlock(7)`)
holds only for threads that start later. `close` runs when the engine works, and holds for every thread: from
then on no file can be opened at all, no library either.
"""

import ctypes
import os
import resource
import sys
import sysconfig
from pathlib import Path

from landlockpy import AccessFS, LandlockError, Ruleset, Scope, abi_version

from clickhouse.seller_sql import seccomp

MEMORY = 768 << 20
"""Limit of the process' own memory in bytes: rows, the query, the engine. The library's pages are shared."""

ADDRESS_SPACE = 4 << 30
"""Limit of its addresses in bytes, most of which the library and reserved memory take."""

CPU_S = 300
"""Limit of the CPU time of the process. Its parent kills it earlier, unless the parent is dead itself."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SIGKILL = 9

_READ = AccessFS.READ_FILE | AccessFS.READ_DIR
_LOAD = _READ | AccessFS.EXECUTE
_FILES_ONLY = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.EXECUTE
_CHANGE = (
    _READ | AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG | AccessFS.MAKE_DIR
    | AccessFS.MAKE_SYM | AccessFS.REMOVE_FILE | AccessFS.REMOVE_DIR | AccessFS.REFER
)  # fmt: skip

_LIBRARIES = (
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    Path(sys.base_prefix, "lib"),
    *map(Path, ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")),
)
_AT_START = tuple(map(Path, ("/etc/localtime", "/usr/share/zoneinfo", "/proc/self/maps", "/proc/self/auxv")))
"""The time zone, and addresses of memory: the engine looks for the end of the main thread's stack."""

_ALWAYS = frozenset(
    {"read", "write", "close", "fstat", "poll", "lseek", "mmap", "mprotect", "munmap", "brk", "rt_sigaction"}
    | {"rt_sigprocmask", "rt_sigreturn", "pread64", "readv", "writev", "sched_yield", "mremap", "madvise"}
    | {
        "nanosleep",
        "getpid",
        "gettid",
        "getppid",
        "sendto",
        "recvfrom",
        "clone",
        "exit",
        "exit_group",
        "uname",
    }
    | {"fcntl", "gettimeofday", "getrusage", "sysinfo", "times", "sigaltstack", "prctl", "futex"}
    | {"sched_getaffinity", "restart_syscall", "clock_gettime", "clock_getres", "clock_nanosleep", "tgkill"}
    | {
        "epoll_wait",
        "epoll_ctl",
        "epoll_pwait",
        "epoll_create1",
        "ppoll",
        "set_robust_list",
        "timerfd_create",
    }
    | {"timerfd_settime", "eventfd2", "pipe2", "getcpu", "getrandom", "membarrier", "rseq", "timer_create"}
    | {"timer_settime", "timer_delete", "getuid", "geteuid", "getgid", "getegid"}
)
"""The system calls that a query needs. None reaches a file, a socket or a process that is not open."""

_AT_START_ONLY = frozenset(seccomp.NUMBERS) - _ALWAYS - {"clone3"}
"""Those that importing and starting the engine needs as well. None makes a socket or a process."""


def reason_missing() -> str:
    """Return why this machine can't have the walls; empty if it can."""
    if abi_version() < 1:
        return "the kernel has no Landlock"
    return seccomp.reason_unavailable()


def enter(scratch: Path, parent_pid: int) -> None:
    """Confine the process to libraries and to the empty directory `scratch`.

    Raises:
        OSError: the kernel refuses a wall.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_PDEATHSIG, _SIGKILL), (_PR_SET_DUMPABLE, 0), (_PR_SET_NO_NEW_PRIVS, 1)):
        if libc.prctl(option, *(ctypes.c_ulong(each) for each in (value, 0, 0, 0))) != 0:
            raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent_pid:
        sys.exit(0)
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_AS, ADDRESS_SPACE),
    ):
        resource.setrlimit(kind, (limit, limit))
    os.environ["TMPDIR"] = str(scratch)
    os.chdir(scratch)
    rules = {scratch: _CHANGE} | dict.fromkeys(_LIBRARIES, _LOAD) | dict.fromkeys(_AT_START, _READ)
    try:
        with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as ruleset:
            for path, access in rules.items():
                if path.exists():
                    ruleset.allow_path(path, access if path.is_dir() else access & _FILES_ONLY)
            ruleset.restrict()
    except LandlockError as error:
        raise OSError(error.errno, f"the kernel refuses Landlock: {error.strerror}") from error
    seccomp.restrict(_ALWAYS | _AT_START_ONLY, os.getpid(), no_paths=False)


def close() -> None:
    """Refuse every further file, socket and process, in every thread.

    Raises:
        OSError: the kernel refuses the filter.
    """
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    seccomp.restrict(_ALWAYS, os.getpid(), no_paths=True)
