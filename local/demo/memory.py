"""How much memory each process of the platform uses, and how that has moved since the demo went live."""

from dataclasses import dataclass
from pathlib import Path

from local.supervision.processes import Record, read_records, resident_bytes, tree
from local.supervision.supervisor import NAME


@dataclass(frozen=True)
class Process:
    """One part's process, with all that it started."""

    name: str
    alive: bool
    restarts: int
    memory_bytes: int
    grown_bytes: int
    """Restarts and growth are since it was first seen."""


class Memory:
    """Measures the processes whose records lie in the directory `run`."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._first: dict[str, tuple[int, int]] = {}

    def now(self) -> list[Process]:
        """Every process that was started for this copy, the largest first."""
        processes = [self._measured(record) for record in read_records(self._run)]
        return sorted(processes, key=lambda process: (-process.memory_bytes, process.name))

    def _measured(self, record: Record) -> Process:
        own = [record.pid] if record.part == NAME else tree(record.pid)  # the supervisor's tree is all others
        used = resident_bytes(own) if record.alive else 0
        starts, first = self._first.get(record.part, (record.starts, used))
        if record.starts < starts:  # `up` counts anew
            starts, first = record.starts, used
        self._first[record.part] = starts, first
        return Process(record.part, record.alive, record.starts - starts, used, used - first)
