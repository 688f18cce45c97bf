"""Finds out which data set was replayed here, and which of its days."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from audit.sources.olist import OlistTables, Range
from producers.replay import journal


def replayed(home: Path, directory: Path | None, timezone: ZoneInfo) -> OlistTables | None:
    """The Olist tables that the replay's journal names, or those in `directory`, within all ranges replayed.

    None where nothing was replayed and no directory is named.
    """
    entries = journal.read(home, "olist")
    if not entries:
        return OlistTables(directory) if directory else None
    last = entries[-1]
    same = [one for one in entries if (one.fingerprint, one.cluster) == (last.fingerprint, last.cluster)]
    return OlistTables(
        directory or Path(last.directory),
        tuple(Range(wall(one.start_ms, timezone), wall(one.end_ms, timezone)) for one in same),
        tuple(
            f"a replay stopped after {one.position:,} of {one.total:,} events: run it again, it goes on there"
            for one in same
            if not one.complete
        ),
    )


def wall(millis: int | None, timezone: ZoneInfo) -> datetime | None:
    """The wall-clock time without a zone that bounds the times before and from this moment on.

    Where the clock is put forward, the times that never were belong to what comes after.
    """
    if millis is None:
        return None
    before = datetime.fromtimestamp((millis - 1) / 1000, timezone).utcoffset() or timedelta()
    return datetime.fromtimestamp(millis / 1000, UTC).replace(tzinfo=None) + before
