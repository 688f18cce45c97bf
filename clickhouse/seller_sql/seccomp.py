"""Limits the system calls of this process (`seccomp(2)`): the kernel refuses those that are not on a list.

A filter is a small program that the kernel runs before each system call. It can't be removed, and it holds
for threads and processes that start later. This one is for x86-64 only.
"""

import ctypes
import fcntl
import os
import platform
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from errno import ENOENT, ENOSYS, EPERM

NUMBERS: Mapping[str, int] = {
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7,
    "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13,
    "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16, "pread64": 17, "pwrite64": 18, "readv": 19,
    "writev": 20, "access": 21, "select": 23, "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32,
    "nanosleep": 35, "getpid": 39, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47,
    "shutdown": 48, "clone": 56, "exit": 60, "uname": 63, "fcntl": 72, "flock": 73, "fsync": 74,
    "fdatasync": 75, "ftruncate": 77, "getcwd": 79, "chdir": 80, "mkdir": 83, "unlink": 87,
    "readlink": 89, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "times": 100,
    "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "capget": 125,
    "sigaltstack": 131, "statfs": 137, "fstatfs": 138, "setpriority": 141, "prctl": 157,
    "arch_prctl": 158, "gettid": 186, "futex": 202, "sched_setaffinity": 203, "sched_getaffinity": 204,
    "getdents64": 217, "set_tid_address": 218, "restart_syscall": 219, "timer_create": 222,
    "timer_settime": 223, "timer_gettime": 224, "timer_getoverrun": 225, "timer_delete": 226,
    "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
    "epoll_wait": 232, "epoll_ctl": 233, "tgkill": 234, "mbind": 237, "openat": 257, "mkdirat": 258,
    "newfstatat": 262, "unlinkat": 263, "readlinkat": 267, "pselect6": 270, "ppoll": 271,
    "set_robust_list": 273, "epoll_pwait": 281, "timerfd_create": 283, "timerfd_settime": 286,
    "eventfd2": 290, "epoll_create1": 291, "pipe2": 293, "prlimit64": 302, "getcpu": 309,
    "renameat2": 316, "seccomp": 317, "getrandom": 318, "membarrier": 324, "preadv2": 327, "statx": 332,
    "rseq": 334, "clone3": 435, "faccessat2": 439,
}  # fmt: skip
"""System call → its number on x86-64 (`arch/x86/entry/syscalls/syscall_64.tbl` of Linux)."""

PATH_CALLS = frozenset({
    "access", "chdir", "faccessat2", "getcwd", "lstat", "mkdir", "mkdirat", "newfstatat", "open",
    "openat", "readlink", "readlinkat", "renameat2", "stat", "statfs", "statx", "unlink", "unlinkat",
})  # fmt: skip
"""The calls that name a file. `newfstatat` also describes an open file, which stays possible."""

_ARCHITECTURE = 0xC000003E  # AUDIT_ARCH_X86_64
_X32 = 0x40000000  # the first number of the calls of the x32 ABI
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16

_SET_MODE_FILTER, _EVERY_THREAD = 1, 1
_CLONE_THREAD = 0x00010000
_AT_EMPTY_PATH = 0x1000
_PR_SET_NAME, _PR_SET_VMA = 15, 0x53564D41
_MAP_PRIVATE = 0x02
_DESCRIPTOR_COMMANDS = (
    *(fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_SETFL),
    *(fcntl.F_GETPIPE_SZ, fcntl.F_SETPIPE_SZ),
)
"""Of `fcntl`. With others (F_SETOWN, F_SETSIG) the kernel would send a signal to another process."""


class SeccompError(OSError):
    """The kernel refuses the filter; `strerror` says why."""


def reason_unavailable() -> str:
    """Return why no filter can be set on this machine; empty if one can."""
    if platform.machine() != "x86_64":
        return f"there is no list of system calls for {platform.machine()}"
    return ""


def restrict(calls: Iterable[str], own_pid: int, *, no_paths: bool) -> None:
    """Allow only these system calls, in every thread of the process, from now on.

    With `no_paths`, a call that names a file fails with ENOENT, as if there were no files. Any other call
    fails with EPERM. Some calls depend on their arguments: `clone` starts threads but no processes, `tgkill`
    and `prlimit64` reach `own_pid` only, `prctl` names threads and memory, `mmap` gets memory that the limits
    of the process count, and `fcntl` copies descriptors and sets their flags.

    The process must have given up new privileges before (`PR_SET_NO_NEW_PRIVS`).

    Raises:
        SeccompError: the kernel refuses.
    """
    absent = PATH_CALLS if no_paths else ()
    program = b"".join(_program(set(calls) - set(absent), absent, own_pid))
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_long(value) for value in (NUMBERS["seccomp"], _SET_MODE_FILTER, _EVERY_THREAD))
    if libc.syscall(*arguments, header) != 0:
        raise SeccompError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _program(allowed: Collection[str], absent: Collection[str], own_pid: int) -> Iterator[bytes]:
    """Yield the instructions of a filter (`struct sock_filter`)."""
    yield _instruction(_LOAD, _ARCHITECTURE_AT)
    yield _instruction(_EQUAL, _ARCHITECTURE, on_true=1)
    yield _instruction(_RETURN, _KILL)
    yield _instruction(_LOAD, _NUMBER_AT)
    yield _instruction(_AT_LEAST, _X32, on_false=1)
    yield _instruction(_RETURN, _ERROR | EPERM)
    # glibc falls back to `clone`, whose flags can be seen here.
    yield from _when(NUMBERS["clone3"], [_instruction(_RETURN, _ERROR | ENOSYS)])
    checked = {
        "clone": _if_argument(0, [(_ANY_BIT, _CLONE_THREAD)]),
        "fcntl": _if_argument(1, [(_EQUAL, command) for command in _DESCRIPTOR_COMMANDS]),
        "mmap": _if_argument(3, [(_ANY_BIT, _MAP_PRIVATE)]),
        "tgkill": _if_argument(0, [(_EQUAL, own_pid)]),
        "prctl": _if_argument(0, [(_EQUAL, _PR_SET_NAME), (_EQUAL, _PR_SET_VMA)]),
        "prlimit64": _if_argument(0, [(_EQUAL, 0), (_EQUAL, own_pid)]),
    }
    no_file = [_instruction(_RETURN, _ERROR | ENOENT)]
    by_descriptor = _if_argument(3, [(_ANY_BIT, _AT_EMPTY_PATH)])
    for name in sorted(allowed):
        yield from _when(NUMBERS[name], checked.get(name, [_instruction(_RETURN, _ALLOW)]))
    for name in sorted(absent):
        yield from _when(NUMBERS[name], by_descriptor if name == "newfstatat" else no_file)
    yield _instruction(_RETURN, _ERROR | EPERM)


def _when(number: int, body: list[bytes]) -> Iterator[bytes]:
    """Yield the instructions that run `body`, which returns, for the system call with this number."""
    yield _instruction(_EQUAL, number, on_false=len(body))
    yield from body


def _if_argument(index: int, allowed: list[tuple[int, int]]) -> list[bytes]:
    """Return instructions that allow a call if the lower half of an argument passes a comparison."""
    tests = [
        _instruction(comparison, value, on_true=len(allowed) - at)
        for at, (comparison, value) in enumerate(allowed)
    ]
    load = _instruction(_LOAD, _ARGUMENTS_AT + 8 * index)
    return [load, *tests, _instruction(_RETURN, _ERROR | EPERM), _instruction(_RETURN, _ALLOW)]


def _instruction(code: int, value: int, on_true: int = 0, on_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, on_true, on_false, value)
