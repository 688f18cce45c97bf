"""Becomes the process of one part: `python -IS launch.py RUN_DIRECTORY PART`, called by the supervisor.

Standard library only, and no import of ours: it starts in a few milliseconds and then execs. Before that it
ends what is left of the part's last process, opens the part's log itself (so that the part outlives the
supervisor), records pid and start time for the next sweep, and gives up root where the part asks for it.
"""

import contextlib
import ctypes
import json
import os
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

MARK = "_SOUK_LAUNCHED"
"""The variable in the environment of everything started here: `<part>@<run directory>`."""

LOG_LIMIT_BYTES = 20 * 1024 * 1024
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 47, 2
CAP_DAC_OVERRIDE = 1
HIGHEST = 4
"""The highest priority of real time that any of our processes wants (`common.realtime.KEEPER`)."""
CAPABILITY_VERSION_3 = 0x20080522


def started_ticks(pid: int) -> int:
    """When a process started, in clock ticks since boot (field 22 of /proc/PID/stat); 0 if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    state, *fields = stat.rpartition(")")[2].split()
    return 0 if state in "ZX" else int(fields[18])


def boot_id() -> str:
    """What this boot of the machine is called."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def marked(run: str, part: str | None = None) -> list[int]:
    """Live processes that were started here for this copy (and for this part), children included."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environ = Path(entry.path, "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            values = [v.partition(b"=")[2].decode() for v in environ if v.startswith(MARK.encode() + b"=")]
            if any(v.partition("@")[2] == run and part in (None, v.partition("@")[0]) for v in values):
                found.append(int(entry.name))
    return [pid for pid in found if started_ticks(pid)]


def stand_apart(level: int) -> None:
    """Make a session of this process, `level` levels of `nice` behind other sessions.

    Where the kernel shares cores out by session (`sched_autogroup_enabled`), this part then has a share like
    any other session, as it would from systemd, and not one for each of its threads: Flink has two hundred.
    Between processes of different sessions their own `nice` says nothing there.
    """
    if os.getsid(0) != os.getpid():
        if os.getpgrp() == os.getpid():  # supervisord made it the leader of a group: none may leave
            os.setpgid(0, os.getpgid(os.getppid()))
        os.setsid()
    deadline = time.monotonic() + 1
    while level and time.monotonic() < deadline:
        try:
            Path("/proc/self/autogroup").write_text(str(level))
        except BlockingIOError:  # the kernel takes ten such wishes a second, of all processes
            time.sleep(0.05)
        except OSError:  # it knows no sessions, or does not let us
            return
        else:
            return


def go_first(priority: int, heirs: bool) -> None:
    """Be in real time (`common.realtime`) if the system permits it; with `heirs`, what it begins is, too."""
    policy = os.SCHED_RR if heirs else os.SCHED_RR | os.SCHED_RESET_ON_FORK
    with contextlib.suppress(OSError):
        for each in (HIGHEST, priority):  # all priorities or none, lest the last go first
            os.sched_setscheduler(0, policy, os.sched_param(each))


def become(uid: int, gid: int, keep_access: bool) -> None:
    """Give up root for good.

    With `keep_access` the process keeps one capability, CAP_DAC_OVERRIDE, through exec: PostgreSQL refuses to
    run as root, and under a closed directory such as root's home another user could not reach its own data.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if keep_access:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if keep_access:
        wanted = 1 << CAP_DAC_OVERRIDE
        header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
        sets = struct.pack("IIIIII", wanted, wanted, wanted, 0, 0, 0)
        if libc.capset(header, sets) or libc.prctl(
            PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0
        ):
            raise OSError(ctypes.get_errno(), "can't keep CAP_DAC_OVERRIDE")


def end_leftovers(run: str, part: str) -> None:
    """Kill what a dead process of this part left behind (a JVM's or a job client's children)."""
    deadline = time.monotonic() + 5
    while (left := marked(run, part)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def open_log(path: Path) -> None:
    """Send standard output and error to the end of the part's log; an overgrown one is set aside first."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)


def write_record(run: Path, part: str, spec: dict[str, Any]) -> None:
    """Record who this process is, so that a later sweep can't mistake another process for it."""
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


def main(run: Path, part: str) -> None:
    """Read the launch file and turn into what it describes."""
    spec = json.loads((run / f"{part}.launch.json").read_text())
    end_leftovers(str(run), part)
    open_log(Path(spec["log"]))
    write_record(run, part, spec)
    env = {**spec["env"], MARK: f"{part}@{run}"}
    os.chdir(spec["cwd"])
    os.nice(spec["nice"])
    if spec["session"] is not None:
        stand_apart(spec["session"])
    if spec.get("realtime"):  # a launch file that is older than this file has none
        go_first(spec["realtime"], spec["heirs"])
    if spec["uid"] is not None:
        become(spec["uid"], spec["gid"], spec["keep_access"])
    os.execve(spec["argv"][0], spec["argv"], env)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
