"""What was replayed into this installation and how far: `<home>/replay/<data set>.json`.

The replay resumes by it, and the audit finds the source by it.
"""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.errors import SoukError
from producers.feed import lock


@dataclass(frozen=True)
class Replayed:
    """One replay. Its first six fields are its identity: with them equal it resumes, else it is another.

    `start_ms` and `end_ms` bound the event times, [start, end), None for no bound. `position` is how many
    of the `total` events Kafka has acknowledged; the next one occurred at `reached_ms`, None where there is
    none. `counts` and `totals` are of all events of the replay, sent or still to be sent. Times are ISO 8601
    in UTC.
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
        """What must be equal for a replay to go on where this one stopped."""
        return (
            self.data_set, self.fingerprint, self.cluster, self.timezone,
            self.start_ms, self.end_ms, self.total,
        )  # fmt: skip

    @property
    def complete(self) -> bool:
        """Whether Kafka has acknowledged every event."""
        return self.position >= self.total

    def advanced(self, position: int, reached_ms: int | None) -> "Replayed":
        """The same replay at a later position."""
        finished_at = datetime.now(UTC).isoformat(timespec="seconds") if position >= self.total else None
        return replace(self, position=position, finished_at=finished_at, reached_ms=reached_ms)


def directory_of(home: Path) -> Path:
    """Where journals and reports are kept."""
    return home / "replay"


def read(home: Path, data_set: str) -> list[Replayed]:
    """Every replay of this data set, the latest last; empty when there was none or the file is unreadable."""
    try:
        entries: list[dict[str, Any]] = json.loads(_path(home, data_set).read_text(encoding="utf-8"))
        return [Replayed(**entry) for entry in entries]
    except (OSError, ValueError, TypeError):
        return []


def write(home: Path, replayed: Replayed) -> None:
    """Put this replay last, in place of an earlier one of the same identity.

    Raises:
        SoukError: the file can't be written, as when the disk is full.
    """
    path = _path(home, replayed.data_set)
    others = [one for one in read(home, replayed.data_set) if one.identity != replayed.identity]
    beside = path.with_suffix(".json.new")
    text = json.dumps([asdict(one) for one in [*others, replayed]], indent=1)
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise SoukError(
            f"{path} can't be written ({error.strerror}): the replay can't keep its place"
        ) from error


def only_one(home: Path, data_set: str) -> AbstractContextManager[None]:
    """Keep a second replay of this data set out while this one runs.

    Raises:
        UserError: one is already running, or `home` can't be written.
    """
    return lock.only_one(directory_of(home) / f"{data_set}.lock", f"a replay of {data_set}")


def _path(home: Path, data_set: str) -> Path:
    return directory_of(home) / f"{data_set}.json"
