"""Finds the data set that was replayed here, and the days that were replayed."""

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from audit.sources.imported import ImportedTables
from audit.sources.olist import OlistTables, WallClockRange
from audit.sources.source_tables import SentRanges
from common.clock import from_millis
from common.errors import UserError
from producers.importer import journal
from producers.importer.journal import JournalEntry
from producers.importer.mapped.data_set import MappedDataSet


def replayed(home: Path, directory: Path | None, timezone: ZoneInfo) -> OlistTables | None:
    """Return the Olist tables of the replay's journal, or those in `directory`, limited to what was sent.

    Returns None if nothing was replayed and no directory is named.
    """
    entries = journal.read(home, "olist")
    if not entries:
        return OlistTables(directory) if directory else None
    of_directory = [entry for entry in entries if directory and Path(entry.directory) == directory.resolve()]
    last = (of_directory or entries)[-1]
    of_data_set = [
        entry for entry in entries if (entry.fingerprint, entry.cluster) == (last.fingerprint, last.cluster)
    ]
    unfinished = [entry for entry in of_data_set if not entry.complete]
    acknowledged = tuple((entry.start_ms, _end(entry)) for entry in of_data_set)
    return OlistTables(
        directory or Path(last.directory),
        tuple(
            WallClockRange(wall_clock(start, timezone), wall_clock(end, timezone))
            for start, end in acknowledged
        ),
        tuple(_note(entry, directory, timezone) for entry in unfinished),
        SentRanges(acknowledged, tuple((_end(entry), entry.end_ms) for entry in unfinished)),
    )


def imported(home: Path, directory: Path | None, mapping: Path, timezone: ZoneInfo) -> ImportedTables:
    """Return the tables of an import: those in `directory`, or those of its journal.

    Raises:
        UserError: the mapping can't be read, nothing was imported with it, or the import has not finished.
    """
    entries = journal.read(home, MappedDataSet.load(mapping).NAME)
    of_directory = [entry for entry in entries if directory and Path(entry.directory) == directory.resolve()]
    last = (of_directory or entries)[-1] if entries else None
    if last and not last.complete:
        raise UserError(
            f"the import was interrupted after {last.position:,} of {last.total:,} events: `"
            f"{shlex.join(['./souk', 'import', last.directory, '--mapping', str(mapping)])}` sends the rest"
        )
    if directory is None and last is None:
        raise UserError(f"nothing was imported here with {mapping}: name the directory with --source")
    return ImportedTables(directory or Path(last.directory if last else ""), mapping, timezone)


def _end(entry: JournalEntry) -> int | None:
    """Return the time before which every event of this replay is in Kafka."""
    return entry.end_ms if entry.reached_ms is None else entry.reached_ms


def _note(entry: JournalEntry, directory: Path | None, timezone: ZoneInfo) -> str:
    """Return a note: how far an interrupted replay came, and the command that continues it."""
    words = ["./souk", "replay", entry.data_set, str(directory or entry.directory)]
    for option, millis in (("--from", entry.start_ms), ("--to", entry.end_ms)):
        if millis is not None:
            words += [option, from_millis(millis).astimezone(timezone).isoformat()]
    compared = ""
    if entry.reached_ms is not None:
        reached = from_millis(entry.reached_ms).astimezone(timezone)
        compared = f", and only what occurred before {reached:%Y-%m-%d %H:%M:%S} is compared"
    return (
        f"the replay was interrupted after {entry.position:,} of {entry.total:,} events{compared}: "
        f"`{shlex.join(words)}` sends the rest"
    )


def wall_clock(millis: int | None, timezone: ZoneInfo) -> datetime | None:
    """Return the wall-clock time without a zone that separates the times before this moment from the others.

    Wall-clock times that a daylight-saving change skips belong to the time after the moment.
    """
    if millis is None:
        return None
    before = datetime.fromtimestamp((millis - 1) / 1000, timezone).utcoffset() or timedelta()
    return datetime.fromtimestamp(millis / 1000, UTC).replace(tzinfo=None) + before
