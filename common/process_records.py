"""The records of the processes that `./souk up` started on this machine, and the memory of a process tree.

`local/supervision/launch.py` writes a record when a part's process starts. It can import nothing, so it reads
start times and the boot id by itself, as here.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

SUFFIX = ".pid.json"


@dataclass(frozen=True)
class ProcessRecord:
    """The record of a part's newest process."""

    part: str
    pid: int
    started_ticks: int
    boot_id: str
    digest: str
    """Digest of the launch file. It differs if the process runs with other settings."""
    stop_signal: str
    starts: int
    """Number of starts since `up`."""

    @property
    def alive(self) -> bool:
        """Whether this process still runs. Another process with the same pid does not count."""
        return self.boot_id == _boot_id() and _started_ticks(self.pid) == self.started_ticks

    @property
    def uptime_s(self) -> float:
        """Seconds since the process started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.started_ticks / os.sysconf("SC_CLK_TCK")


def process_record_path(run: Path, part: str) -> Path:
    """Return the path of a part's record."""
    return run / f"{part}{SUFFIX}"


def read_process_record(run: Path, part: str) -> ProcessRecord | None:
    """Return a part's record, or None if it was never started or the file is invalid."""
    try:
        return ProcessRecord(part=part, **json.loads(process_record_path(run, part).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def read_process_records(run: Path) -> list[ProcessRecord]:
    """Return the records of all parts that were started."""
    return [record for name in recorded_parts(run) if (record := read_process_record(run, name))]


def recorded_parts(run: Path) -> list[str]:
    """Return the names of all parts that have a record; none if the folder does not exist."""
    return sorted(path.name.removesuffix(SUFFIX) for path in run.glob(f"*{SUFFIX}"))


def process_tree(pid: int) -> list[int]:
    """Return the pids of a process and all its descendants."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return []


def resident_bytes(pids: Iterable[int]) -> int:
    """Return the memory of these processes. Shared pages count once (proportional set size) if possible."""
    return sum(map(_resident_bytes, pids))


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def _started_ticks(pid: int) -> int:
    """Return a process' start time in clock ticks since boot; 0 without such a process, or for a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    state, *fields = stat.rpartition(")")[2].split()
    return 0 if state in "ZX" else int(fields[18])


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
