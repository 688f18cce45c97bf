"""The journal of replays into this installation: `<home>/replay/<data set>.json`.

A replay resumes from its journal entry, and the audit finds the source files in it.
"""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.errors import SoukError
from common.file_lock import single_instance
from common.file_replacement import replace_file


@dataclass(frozen=True)
class JournalEntry:
    """One replay. Its `identity` consists of the first six fields and `total`.

    `start_ms` and `end_ms` bound the event times, [start, end); None means no bound. Kafka has acknowledged
    `position` of the `total` events; the next event occurred at `reached_ms`, which is None at the end.
    `counts` and `totals` cover all events of the replay, sent or not. Times are ISO 8601 in UTC.
    """

    data_set: str
    fingerprint: str
    cluster: str
    timezone: str
    start_ms: int | None
    end_ms: int | None
    directory: str
    total: int
    position: int
    counts: dict[str, int]
    totals: dict[str, int]
    report: str
    started_at: str
    finished_at: str | None = None
    reached_ms: int | None = None

    @property
    def identity(self) -> tuple[object, ...]:
        """A replay with the same identity resumes this one."""
        return (
            self.data_set, self.fingerprint, self.cluster, self.timezone,
            self.start_ms, self.end_ms, self.total,
        )  # fmt: skip

    @property
    def complete(self) -> bool:
        """Whether Kafka has acknowledged every event."""
        return self.position >= self.total

    def at_position(self, position: int, reached_ms: int | None) -> "JournalEntry":
        """Return a copy at a later position."""
        finished_at = datetime.now(UTC).isoformat(timespec="seconds") if position >= self.total else None
        return replace(self, position=position, finished_at=finished_at, reached_ms=reached_ms)


def directory_of(home: Path) -> Path:
    """Return the directory of journals and reports."""
    return home / "replay"


def read(home: Path, data_set: str) -> list[JournalEntry]:
    """Return every replay of this data set, the latest last; empty if the file is missing or unreadable."""
    try:
        entries: list[dict[str, Any]] = json.loads(_path(home, data_set).read_text(encoding="utf-8"))
        return [JournalEntry(**entry) for entry in entries]
    except (OSError, ValueError, TypeError):
        return []


def write(home: Path, entry: JournalEntry) -> None:
    """Append this entry and remove an earlier entry of the same identity.

    Raises:
        SoukError: the file can't be written, for example because the disk is full.
    """
    path = _path(home, entry.data_set)
    others = [other for other in read(home, entry.data_set) if other.identity != entry.identity]
    text = json.dumps([asdict(each) for each in [*others, entry]], indent=1)
    try:
        replace_file(path, text)
    except OSError as error:
        raise SoukError(
            f"{path} can't be written ({error.strerror}): the replay can't save its position"
        ) from error


def exclusive(home: Path, data_set: str) -> AbstractContextManager[None]:
    """Hold the lock of this data set, so that no second replay of it runs.

    Raises:
        UserError: a replay is already running, or `home` can't be written.
    """
    return single_instance(directory_of(home) / f"{data_set}.lock", f"a replay of {data_set}")


def _path(home: Path, data_set: str) -> Path:
    return directory_of(home) / f"{data_set}.json"
