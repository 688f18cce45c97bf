"""Finds and stops the processes of this copy."""

import contextlib
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

from common.process_records import process_record_path, read_process_records, recorded_parts
from local.supervision.launch import find_processes, started_ticks

POLL_S = 0.05


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
    for part in recorded_parts(run):
        if part not in excluded:
            process_record_path(run, part).unlink(missing_ok=True)
    return len(signals)


def _marked_processes(run: Path, excluded: Collection[str]) -> set[int]:
    return set(find_processes(str(run))).difference(*(find_processes(str(run), part) for part in excluded))


def wait_for_exit(started: dict[int, int], timeout_s: float) -> bool:
    """Wait until these processes (pid → start ticks) have ended. Returns False after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while any(ticks and started_ticks(pid) == ticks for pid, ticks in started.items()):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
