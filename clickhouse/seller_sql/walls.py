"""The walls around the process of a seller's query: what it can reach of the machine, and how much it uses.

`enter` runs before the engine is imported, because the import starts threads and Landlock (`landlock(7)`)
holds only for threads that start later. `close` runs when the engine works, and holds for every thread: from
then on no file can be opened at all, no library either.
"""

import ctypes
import os
import resource
import sys
from pathlib import Path

from landlockpy import LandlockError, abi_version

from clickhouse import landlock
from clickhouse.seller_sql import seccomp

MEMORY = 768 << 20
"""Limit of the process' own memory in bytes: rows, the query, the engine. The library's pages are shared."""

ADDRESS_SPACE = 4 << 30
"""Limit of its addresses in bytes, most of which the library and reserved memory take."""

CPU_S = 300
"""Limit of the CPU time of the process. Its parent kills it earlier, unless the parent is dead itself."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SIGKILL = 9

_ALWAYS = frozenset({
    "brk", "clock_getres", "clock_gettime", "clock_nanosleep", "clone", "close", "epoll_create1",
    "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "exit", "exit_group", "fcntl", "fstat",
    "futex", "getcpu", "getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "getrusage",
    "gettid", "gettimeofday", "getuid", "lseek", "madvise", "membarrier", "mmap", "mprotect", "mremap",
    "munmap", "nanosleep", "pipe2", "poll", "ppoll", "prctl", "pread64", "read", "readv", "recvfrom",
    "restart_syscall", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_getaffinity",
    "sched_yield", "sendto", "set_robust_list", "sigaltstack", "sysinfo", "tgkill", "timer_create",
    "timer_delete", "timer_settime", "timerfd_create", "timerfd_settime", "times", "uname", "write",
    "writev",
})  # fmt: skip
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
    rules = {scratch: landlock.CHANGE} | dict.fromkeys(landlock.LIBRARIES, landlock.LOAD)
    rules |= dict.fromkeys((*landlock.TIME_ZONES, *landlock.LOADER), landlock.READ)
    try:
        landlock.restrict(rules)
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
