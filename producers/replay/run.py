"""One replay from the first byte read to the last event acknowledged."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from common.settings import Settings
from producers.feed.delivery import Delivery, OnProgress, without_collecting
from producers.feed.events import Timeline, merge
from producers.replay import dataset, journal, report
from producers.replay.dataset import Conversion
from producers.replay.findings import Findings
from producers.replay.journal import Replayed


@dataclass(frozen=True)
class Prepared:
    """A replay that is ready to be sent: its events in order, its journal entry, what was found."""

    timeline: Timeline
    replayed: Replayed
    findings: Findings


@dataclass(frozen=True)
class Plan:
    """What the user asked for. `start` and `end` bound the event times, [start, end)."""

    data_set: str
    directory: Path
    start: datetime | None = None
    end: datetime | None = None
    speed: float | None = None


def read(plan: Plan, settings: Settings) -> tuple[Conversion, str]:
    """Convert the source as a whole, and its fingerprint. Nothing is sent, no part needs to run.

    Raises:
        UserError: a table is missing, cut short, or another.
    """
    data_set = dataset.find(plan.data_set)
    fingerprint = dataset.fingerprint(data_set, plan.directory, settings.timezone)
    with without_collecting():
        return data_set.convert(plan.directory, settings.timezone), fingerprint


def prepare(
    plan: Plan, settings: Settings, conversion: Conversion, fingerprint: str, cluster: str
) -> Prepared:
    """Select and order the events, and find the journal's position of this very replay."""
    start, end = _millis(plan.start), _millis(plan.end)
    with without_collecting():
        timeline = merge([events.within(start, end) for events in conversion.events])
    path = journal.directory_of(settings.home) / f"{plan.data_set}-report.json"
    replayed = Replayed(
        data_set=plan.data_set,
        fingerprint=fingerprint,
        cluster=cluster,
        timezone=settings.shop_timezone,
        start_ms=start,
        end_ms=end,
        directory=str(plan.directory.resolve()),
        total=len(timeline),
        position=0,
        counts=timeline.counts(),
        totals=asdict(report.add_up(timeline)),
        report=str(path),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    earlier = [one for one in journal.read(settings.home, plan.data_set) if one.identity == replayed.identity]
    if earlier:
        replayed = replace(
            earlier[-1], directory=replayed.directory, counts=replayed.counts, totals=replayed.totals
        )
    return Prepared(timeline, replayed, conversion.findings)


def send(
    prepared: Prepared,
    settings: Settings,
    schema_ids: Mapping[str, int],
    speed: float | None,
    on_progress: OnProgress,
) -> Replayed:
    """Send what is not yet acknowledged. The finished journal entry.

    Raises:
        PartUnavailable: Kafka stayed away; the journal keeps the position.
    """
    replayed = prepared.replayed

    def save(position: int) -> None:
        nonlocal replayed
        replayed = replayed.advanced(position, prepared.timeline.time_of(position))
        journal.write(settings.home, replayed)

    delivery = Delivery(settings.kafka, schema_ids, save, on_progress)
    delivery.send(prepared.timeline, replayed.position, speed, replayed.start_ms)
    return replayed


def _millis(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
