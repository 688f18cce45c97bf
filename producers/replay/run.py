"""One replay from the first byte read to the last event acknowledged."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from common.errors import PartUnavailable
from common.settings import Settings
from producers.replay import dataset, journal, report
from producers.replay.dataset import Conversion
from producers.replay.events import Timeline, merge
from producers.replay.feed import Feed, FeedBroken
from producers.replay.findings import Findings
from producers.replay.journal import Replayed
from producers.replay.pace import Pace

OnProgress = Callable[[Feed], None]
"""Called a few times a second while events are acknowledged."""

_SAVE_EVERY_S = 0.5
_STOP_S = 5.0
_FRUITLESS_TRIES = 3


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
    with _without_collecting():
        return data_set.convert(plan.directory, settings.timezone), fingerprint


def prepare(
    plan: Plan, settings: Settings, conversion: Conversion, fingerprint: str, cluster: str
) -> Prepared:
    """Select and order the events, and find the journal's position of this very replay."""
    start, end = _millis(plan.start), _millis(plan.end)
    with _without_collecting():
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

    A producer that fails for good is replaced, and the new one goes on at the acknowledged position: the
    events sent twice have the same ids.

    Raises:
        PartUnavailable: Kafka stayed away; the journal keeps the position.
    """
    keeper = _Keeper(settings.home, prepared.replayed, on_progress)
    fruitless = 0
    while not keeper.replayed.complete:
        began = keeper.replayed.position
        feed = Feed(settings.kafka, began, keeper.progress)
        try:
            with _without_collecting():
                pace = Pace(prepared.timeline.occurred_at, began, speed)
                feed.run(prepared.timeline, schema_ids, pace)
        except FeedBroken as error:
            fruitless = 0 if feed.acknowledged > began else fruitless + 1
            if fruitless >= _FRUITLESS_TRIES:
                raise PartUnavailable(
                    f"Kafka at {settings.kafka} takes no events ({error}): see `./souk status`, then run the "
                    f"same command again: it goes on after {feed.acknowledged:,} events"
                ) from error
        except KeyboardInterrupt:
            feed.stop(_STOP_S)
            raise
        finally:
            keeper.save(feed.acknowledged)
    return keeper.replayed


class _Keeper:
    """Writes the position to the journal twice a second while events are acknowledged."""

    def __init__(self, home: Path, replayed: Replayed, on_progress: OnProgress) -> None:
        self.replayed = replayed
        self._home = home
        self._on_progress = on_progress
        self._saved_s = 0.0

    def progress(self, feed: Feed) -> None:
        if time.monotonic() - self._saved_s > _SAVE_EVERY_S:
            self.save(feed.acknowledged)
        self._on_progress(feed)

    def save(self, position: int) -> None:
        self.replayed = self.replayed.advanced(position)
        journal.write(self._home, self.replayed)
        self._saved_s = time.monotonic()


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Millions of records without a cycle among them: the garbage collector would double the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _millis(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
