"""Finds out which data set was replayed here, and which of its days."""

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from audit.sources.olist import OlistTables, Range
from audit.sources.sent import Sent
from common.clock import from_millis
from producers.replay import journal
from producers.replay.journal import Replayed


def replayed(home: Path, directory: Path | None, timezone: ZoneInfo) -> OlistTables | None:
    """The Olist tables that the replay's journal names, or those in `directory`, as far as they were sent.

    None where nothing was replayed and no directory is named.
    """
    entries = journal.read(home, "olist")
    if not entries:
        return OlistTables(directory) if directory else None
    of_directory = [one for one in entries if directory and Path(one.directory) == directory.resolve()]
    last = (of_directory or entries)[-1]
    same = [one for one in entries if (one.fingerprint, one.cluster) == (last.fingerprint, last.cluster)]
    surely = tuple((one.start_ms, _end(one)) for one in same)
    return OlistTables(
        directory or Path(last.directory),
        tuple(Range(wall(start, timezone), wall(end, timezone)) for start, end in surely),
        tuple(_unfinished(one, directory, timezone) for one in same if not one.complete),
        Sent(surely, tuple((_end(one), one.end_ms) for one in same if not one.complete)),
    )


def _end(one: Replayed) -> int | None:
    """Before when every event of this replay is in Kafka."""
    return one.end_ms if one.reached_ms is None else one.reached_ms


def _unfinished(one: Replayed, directory: Path | None, timezone: ZoneInfo) -> str:
    """How far a replay came that was broken off, and the command that goes on there."""
    words = ["./souk", "replay", one.data_set, str(directory or one.directory)]
    for option, millis in (("--from", one.start_ms), ("--to", one.end_ms)):
        if millis is not None:
            words += [option, from_millis(millis).astimezone(timezone).isoformat()]
    compared = ""
    if one.reached_ms is not None:
        reached = from_millis(one.reached_ms).astimezone(timezone)
        compared = f", and only what occurred before {reached:%Y-%m-%d %H:%M:%S} is compared"
    return (
        f"the replay was broken off after {one.position:,} of {one.total:,} events{compared}: "
        f"`{shlex.join(words)}` sends the rest"
    )


def wall(millis: int | None, timezone: ZoneInfo) -> datetime | None:
    """The wall-clock time without a zone that bounds the times before and from this moment on.

    Where the clock is put forward, the times that never were belong to what comes after.
    """
    if millis is None:
        return None
    before = datetime.fromtimestamp((millis - 1) / 1000, timezone).utcoffset() or timedelta()
    return datetime.fromtimestamp(millis / 1000, UTC).replace(tzinfo=None) + before
