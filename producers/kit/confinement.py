"""Takes the rights of a process that reads what strangers have sent: see `landlock(7)`, `setrlimit(2)`."""

import ctypes
import os
import resource
import signal
import sysconfig
from pathlib import Path

from landlockpy import AccessFS, Ruleset, Scope, supported

NICENESS = 10

_STANDARD_STREAMS = 3
_FILES = 5
"""The number of open files of a process that reads one: what it opens at the same time."""

_CODECS = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
"""Python's packages: what reads a text imports the codec of its encoding."""

_PR_SET_PDEATHSIG = 1


def confine(memory: int, cpu_s: int, file: Path | None = None, written: int = 0) -> None:
    """Limit this process, and take its rights to files, connections and other processes.

    It may read `file` and Python's packages, and write to what is open. It ends with its parent. A kernel
    without Landlock still refuses every further file and connection of a process without `file`, by the limit
    of open files.

    Args:
        memory: the limit of its own memory in bytes.
        cpu_s: the limit of its CPU time in seconds.
        file: what it reads.
        written: the size in bytes up to which it may write to a file. A pipe has no limit.
    """
    os.nice(NICENESS)
    Path("/proc/self/oom_score_adj").write_text("1000")  # if memory runs out, it ends, and not its parent
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if supported():
        with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as ruleset:
            if file is not None:
                for path in (file, *_CODECS):
                    ruleset.allow_path(path, AccessFS.READ_FILE | (AccessFS.READ_DIR if path.is_dir() else 0))
            ruleset.restrict()
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_NOFILE, _STANDARD_STREAMS + (_FILES if file else 0)),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_DATA, memory),
    ):
        resource.setrlimit(kind, (limit, limit))
