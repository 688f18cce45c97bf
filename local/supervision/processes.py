"""The processes of this copy: who they are, what they use, and how stray ones are ended."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.supervision.launch import boot_id, marked, started_ticks

POLL_S = 0.05


@dataclass(frozen=True)
class Record:
    """What `local/supervision/launch.py` wrote when a part's process started."""

    part: str
    pid: int
    started_ticks: int
    boot_id: str
    digest: str
    """Of the launch file: a running process with another digest runs with other settings."""
    stop_signal: str
    starts: int
    """How often the process was started since `up` did."""

    @property
    def alive(self) -> bool:
        """Whether that very process still runs: a pid that someone else got since doesn't count."""
        return self.boot_id == boot_id() and started_ticks(self.pid) == self.started_ticks

    @property
    def uptime_s(self) -> float:
        """Seconds since the process started."""
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        return since_boot - self.started_ticks / os.sysconf("SC_CLK_TCK")


def record_path(run: Path, part: str) -> Path:
    """Where a part's record lies."""
    return run / f"{part}.pid.json"


def read_record(run: Path, part: str) -> Record | None:
    """A part's record; None if it never started or the file is unreadable."""
    try:
        return Record(part=part, **json.loads(record_path(run, part).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def read_records(run: Path) -> list[Record]:
    """The records of every part that was ever started."""
    return [record for name in _recorded(run) if (record := read_record(run, name))]


def survivors(run: Path, spared: Collection[str] = ()) -> dict[int, str]:
    """Live processes of this copy, but for those of the `spared`: pid → the signal that asks it to stop.

    Found by their records and by the mark that everything started here carries in its environment.
    (PostgreSQL overwrites its environment, so both are needed.)
    """
    found = dict.fromkeys(_marked(run, spared), "TERM")
    records = (record for record in read_records(run) if record.part not in spared)
    found.update({record.pid: record.stop_signal for record in records if record.alive})
    return {pid: sign for pid, sign in found.items() if pid != os.getpid()}


def sweep(run: Path, spared: Collection[str] = (), patience_s: float = 20.0) -> int:
    """End every process of this copy but those of the `spared`: politely, after `patience_s` for good.

    Returns how many there were.
    """
    asked = survivors(run, spared)
    started = {pid: started_ticks(pid) for pid in asked}
    for pid, name in asked.items():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.Signals[f"SIG{name}"])
    if not wait_gone(started, patience_s):
        for pid in [*(pid for pid in started if started_ticks(pid) == started[pid]), *_marked(run, spared)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_gone(started, patience_s)
    for part in _recorded(run):
        if part not in spared:
            record_path(run, part).unlink(missing_ok=True)
    return len(asked)


def _marked(run: Path, spared: Collection[str]) -> set[int]:
    return set(marked(str(run))).difference(*(marked(str(run), part) for part in spared))


def _recorded(run: Path) -> list[str]:
    return [path.name.removesuffix(".pid.json") for path in run.glob("*.pid.json")]


def wait_gone(started: dict[int, int], patience_s: float) -> bool:
    """Wait until these processes (pid → start ticks) have ended; False if one outlives the patience."""
    deadline = time.monotonic() + patience_s
    while any(ticks and started_ticks(pid) == ticks for pid, ticks in started.items()):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def tree(pid: int) -> list[int]:
    """A process and all that it started."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return []


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory of these processes; what they share is counted once (proportional set size, else resident)."""
    return sum(_resident_bytes(pid) for pid in pids)


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
