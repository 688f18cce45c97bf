"""Measures the memory of each process of the platform, and its growth since the demo went live."""

from dataclasses import dataclass
from pathlib import Path

from common.process_records import ProcessRecord, process_tree, read_process_records, resident_bytes
from local.supervision.supervisor import NAME


@dataclass(frozen=True)
class ProcessMemory:
    """The memory of one part's process and its children."""

    name: str
    alive: bool
    restarts: int
    memory_bytes: int
    grown_bytes: int
    """Restarts and growth are counted from the first measurement."""


class MemoryMonitor:
    """Measures the processes that have a record in the directory `run`."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._first: dict[str, tuple[int, int]] = {}

    def now(self) -> list[ProcessMemory]:
        """Return all processes that were started for this copy, the largest first."""
        processes = [self._measure(record) for record in read_process_records(self._run)]
        return sorted(processes, key=lambda process: (-process.memory_bytes, process.name))

    def _measure(self, record: ProcessRecord) -> ProcessMemory:
        # All parts are children of the supervisor: count only the supervisor's own process.
        pids = [record.pid] if record.part == NAME else process_tree(record.pid)
        used = resident_bytes(pids) if record.alive else 0
        starts, first = self._first.get(record.part, (record.starts, used))
        if record.starts < starts:  # `up` resets the counter
            starts, first = record.starts, used
        self._first[record.part] = starts, first
        return ProcessMemory(record.part, record.alive, record.starts - starts, used, used - first)
