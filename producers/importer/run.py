"""Runs one replay: reads the source, selects the events, and sends them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from common.settings import Settings
from producers.feed.events import Timeline, merge
from producers.feed.timeline_sender import OnProgress, TimelineSender, gc_disabled
from producers.importer import dataset, journal, report
from producers.importer.dataset import Conversion, ConversionFindings, DataSet
from producers.importer.journal import JournalEntry


@dataclass(frozen=True)
class PreparedReplay:
    """A replay that is ready to be sent: its ordered events, its journal entry and its findings."""

    timeline: Timeline
    entry: JournalEntry
    findings: ConversionFindings


@dataclass(frozen=True)
class ReplayOptions:
    """Options of the command. `start` and `end` bound the event times, [start, end)."""

    data_set: DataSet
    directory: Path
    start: datetime | None = None
    end: datetime | None = None
    speed: float | None = None


def convert(options: ReplayOptions, settings: Settings) -> tuple[Conversion, str]:
    """Convert the whole source; return its events and its fingerprint. No part of the platform has to run.

    Raises:
        UserError: a table is missing or truncated, or has other columns.
    """
    data_set = options.data_set
    fingerprint = dataset.fingerprint(data_set, options.directory, settings.timezone)
    with gc_disabled():
        return data_set.convert(options.directory, settings.timezone), fingerprint


def prepare(
    options: ReplayOptions, settings: Settings, conversion: Conversion, fingerprint: str, cluster: str
) -> PreparedReplay:
    """Select and order the events. If the journal has an entry of the same replay, start at its position."""
    start, end = _millis(options.start), _millis(options.end)
    with gc_disabled():
        timeline = merge([events.within(start, end) for events in conversion.events])
    name = options.data_set.NAME
    path = journal.directory_of(settings.home) / f"{name}-report.json"
    entry = JournalEntry(
        data_set=name,
        fingerprint=fingerprint,
        cluster=cluster,
        timezone=settings.shop_timezone,
        start_ms=start,
        end_ms=end,
        directory=str(options.directory.resolve()),
        total=len(timeline),
        position=0,
        counts=timeline.counts(),
        totals=report.compute_totals(timeline),
        report=str(path),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    entries = journal.read(settings.home, name)
    same = [each for each in entries if each.identity == entry.identity]
    if same:
        entry = replace(same[-1], directory=entry.directory, counts=entry.counts, totals=entry.totals)
    return PreparedReplay(timeline, entry, conversion.findings)


def send(
    prepared: PreparedReplay,
    settings: Settings,
    schema_ids: Mapping[str, int],
    speed: float | None,
    on_progress: OnProgress,
) -> JournalEntry:
    """Send the events that are not acknowledged yet; return the finished journal entry.

    Raises:
        PartUnavailable: Kafka stays unavailable; the journal has the position.
    """
    entry = prepared.entry

    def save(position: int) -> None:
        nonlocal entry
        entry = entry.at_position(position, prepared.timeline.time_of(position))
        journal.write(settings.home, entry)

    delivery = TimelineSender(settings.kafka, schema_ids, save, on_progress)
    delivery.send(prepared.timeline, entry.position, speed, entry.start_ms)
    return entry


def _millis(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
