"""The processes of this copy: their records, their memory, and how to stop all of them."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.supervision.launch import boot_id, find_processes, started_ticks

POLL_S = 0.05


@dataclass(frozen=True)
class ProcessRecord:
    """The record that `local/supervision/launch.py` writes when a part's process starts."""

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
        return self.boot_id == boot_id() and started_ticks(self.pid) == self.started_ticks

    @property
    def uptime_s(self) -> float:
        """Seconds since the process started."""
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        return since_boot - self.started_ticks / os.sysconf("SC_CLK_TCK")


def process_record_path(run: Path, part: str) -> Path:
    """Return the path of a part's record."""
    return run / f"{part}.pid.json"


def read_process_record(run: Path, part: str) -> ProcessRecord | None:
    """Return a part's record, or None if it was never started or the file is invalid."""
    try:
        return ProcessRecord(part=part, **json.loads(process_record_path(run, part).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def read_process_records(run: Path) -> list[ProcessRecord]:
    """Return the records of all parts that were started."""
    return [record for name in _recorded_parts(run) if (record := read_process_record(run, name))]


def running_processes(run: Path, excluded: Collection[str] = ()) -> dict[int, str]:
    """Return the running processes of this copy: pid → name of the signal that stops it.

    The processes of `excluded` parts are left out. Processes are found by their records and by the marker in
    their environment. Both are needed, because PostgreSQL overwrites its environment.
    """
    signals = dict.fromkeys(_marked_processes(run, excluded), "TERM")
    records = (record for record in read_process_records(run) if record.part not in excluded)
    signals.update({record.pid: record.stop_signal for record in records if record.alive})
    return {pid: sign for pid, sign in signals.items() if pid != os.getpid()}


def stop_all(run: Path, excluded: Collection[str] = (), timeout_s: float = 20.0) -> int:
    """Stop every process of this copy except those of `excluded` parts; after `timeout_s`, kill them.

    Returns the number of processes.
    """
    signals = running_processes(run, excluded)
    started = {pid: started_ticks(pid) for pid in signals}
    for pid, name in signals.items():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.Signals[f"SIG{name}"])
    if not wait_for_exit(started, timeout_s):
        for pid in [
            *(pid for pid in started if started_ticks(pid) == started[pid]),
            *_marked_processes(run, excluded),
        ]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for_exit(started, timeout_s)
    for part in _recorded_parts(run):
        if part not in excluded:
            process_record_path(run, part).unlink(missing_ok=True)
    return len(signals)


def _marked_processes(run: Path, excluded: Collection[str]) -> set[int]:
    return set(find_processes(str(run))).difference(*(find_processes(str(run), part) for part in excluded))


def _recorded_parts(run: Path) -> list[str]:
    return [path.name.removesuffix(".pid.json") for path in run.glob("*.pid.json")]


def wait_for_exit(started: dict[int, int], timeout_s: float) -> bool:
    """Wait until these processes (pid → start ticks) have ended. Returns False after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while any(ticks and started_ticks(pid) == ticks for pid, ticks in started.items()):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def process_tree(pid: int) -> list[int]:
    """Return the pids of a process and all its descendants."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return []


def resident_bytes(pids: Iterable[int]) -> int:
    """Return the memory of these processes. Shared pages count once (proportional set size) if possible."""
    return sum(_resident_bytes(pid) for pid in pids)


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
