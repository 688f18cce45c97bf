"""Execs the process of one part: `python -IS launch.py RUN_DIRECTORY PART`, started by the supervisor.

Before the exec, it kills the children that the part's previous process left, opens the part's log (so that
the part survives the supervisor), and records its own pid and start time. If the launch file names a user, it
drops root's privileges. It uses the standard library only, so that it starts in a few milliseconds.
"""

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

PROCESS_MARKER = "_SOUK_LAUNCHED"
"""Environment variable of every process started here. Its value is `<part>@<run directory>`."""


def started_ticks(pid: int) -> int:
    """Return a process' start time in clock ticks since boot (field 22 of /proc/PID/stat).

    Returns 0 if there is no such process, or if it is a zombie.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    state, *fields = stat.rpartition(")")[2].split()
    return 0 if state in "ZX" else int(fields[18])


def boot_id() -> str:
    """Return the kernel's id of the current boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def find_processes(run: str, part: str | None = None) -> list[int]:
    """Return the pids of running processes with the marker of this copy (and part), children included."""
    found = []
    prefix = f"{PROCESS_MARKER}=".encode()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environ = Path(entry.path, "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            values = [v.partition(b"=")[2].decode() for v in environ if v.startswith(prefix)]
            if any(v.partition("@")[2] == run and part in (None, v.partition("@")[0]) for v in values):
                found.append(int(entry.name))
    return [pid for pid in found if started_ticks(pid)]


def drop_privileges(uid: int, gid: int) -> None:
    """Give up root's privileges permanently."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def kill_leftovers(run: str, part: str) -> None:
    """Kill the children that a dead process of this part left running (of a JVM or a job client)."""
    deadline = time.monotonic() + 5
    while (leftovers := find_processes(run, part)) and time.monotonic() < deadline:
        for pid in leftovers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def open_log(path: Path) -> None:
    """Redirect standard output and error to the end of the part's log (`log_rotation.py` rotates it)."""
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)


def write_process_record(run: Path, part: str, spec: dict[str, Any]) -> None:
    """Write this process' pid, start time and boot id, which together identify it after pids are reused."""
    path = run / f"{part}.pid.json"
    try:
        starts = json.loads(path.read_text())["starts"]
    except (OSError, ValueError, KeyError):
        starts = 0
    record = {
        "pid": os.getpid(),
        "started_ticks": started_ticks(os.getpid()),
        "boot_id": boot_id(),
        "digest": spec["digest"],
        "stop_signal": spec["stop_signal"],
        "starts": starts + 1,
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(record))
    fresh.replace(path)


def reset_signals() -> None:
    """Restore the default actions of the signals that a background job or `nohup` ignores.

    A part would inherit the ignored signals, and then not react to its stop signal.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def main(run: Path, part: str) -> None:
    """Read the launch file and exec the process that it describes."""
    spec = json.loads((run / f"{part}.launch.json").read_text())
    kill_leftovers(str(run), part)
    open_log(Path(spec["log"]))
    write_process_record(run, part, spec)
    reset_signals()
    env = {**spec["env"], PROCESS_MARKER: f"{part}@{run}"}
    os.umask(0o077)
    os.chdir(spec["cwd"])
    os.nice(spec["nice"])
    if spec["uid"] is not None:
        drop_privileges(spec["uid"], spec["gid"])
    os.execve(spec["argv"][0], spec["argv"], env)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
