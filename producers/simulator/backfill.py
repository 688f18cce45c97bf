"""Sends a history to Kafka, day after day, as fast as it can, and writes the truth behind it."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from common.clock import from_millis
from common.settings import Settings
from producers.feed.delivery import Delivery, without_collecting
from producers.feed.events import Timeline
from producers.feed.feed import Feed
from producers.simulator import kept as keeping
from producers.simulator import status as reporting
from producers.simulator.history.days import History
from producers.simulator.kept import Kept, Progress
from producers.simulator.status import Status
from producers.simulator.truth import Truth

_STATUS_EVERY_S = 0.5


def back_fill(
    kept: Kept,
    progress: Progress,
    settings: Settings,
    schema_ids: Mapping[str, int],
    console: Console,
) -> Progress:
    """Send what Kafka has not acknowledged yet, and keep how far that is. The finished progress.

    Every day is made again from the seed, so that what is sent twice has the same ids.

    Raises:
        PartUnavailable: Kafka stayed away; the same command goes on.
    """
    history = History(kept.plan)
    truth = Truth(history.choices)
    days = history.days(truth.add)
    with _Sending(kept, progress, settings, console) as sending:
        delivery = Delivery(settings.kafka, schema_ids, sending.save, sending.show)
        for number in range(kept.plan.days):
            with without_collecting():
                timeline = next(days)
            if number >= progress.day:
                sending.begin(number, timeline)
                delivery.send(timeline, progress.position if number == progress.day else 0)
        truth.write(keeping.directory_of(settings.home) / "truth")
        return sending.finish()


class _Sending:
    """Shows and keeps how far the history has come."""

    def __init__(self, kept: Kept, progress: Progress, settings: Settings, console: Console) -> None:
        self._kept, self._progress, self._home, self._console = kept, progress, settings.home, console
        self._resumed_at = progress.sent
        self._before = progress.sent - progress.position
        self._timeline: Timeline | None = None
        self._status = Status("back-filling", progress.sent, kept.events)
        self._status_s = 0.0
        self._bar = Bar(
            TextColumn("{task.fields[reached]}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
            TextColumn("[yellow]{task.fields[trouble]}"), console=console,
        )  # fmt: skip
        self._task = self._bar.add_task(
            "", total=kept.events, completed=progress.sent, reached="", rate="", trouble=""
        )

    def __enter__(self) -> Self:
        if self._resumed_at:
            self._console.print(f"going on after {self._resumed_at:,} events", highlight=False)
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._bar.stop()
        if kind is KeyboardInterrupt:
            sent = self._progress.sent
            self._console.print(f"stopped after {sent:,} events: the same command goes on", highlight=False)

    def begin(self, day: int, timeline: Timeline) -> None:
        """All days before this one are in Kafka."""
        if self._timeline is not None:
            self._before += len(self._timeline)
        self._timeline = timeline
        self._progress = replace(self._progress, day=day)

    def save(self, position: int) -> None:
        """So many events of the day are in Kafka."""
        self._progress = replace(self._progress, position=position, sent=self._before + position)
        keeping.write(self._home, self._kept.advanced(self._progress))

    def show(self, feed: Feed) -> None:
        """Draw the bar, and write the status now and then."""
        assert self._timeline is not None
        sent = self._before + feed.acknowledged
        at = int(self._timeline.occurred_at[min(feed.acknowledged, len(self._timeline) - 1)])
        elapsed = self._bar.tasks[0].elapsed or 0.0
        rate = f"{(sent - self._resumed_at) / elapsed:,.0f}/s" if elapsed > 1 else ""
        reached, total = f"{from_millis(at):%Y-%m-%d %H:%M}", max(sent, self._kept.events)
        self._bar.update(
            self._task, completed=sent, total=total, reached=reached, rate=rate, trouble=feed.trouble
        )
        if time.monotonic() - self._status_s > _STATUS_EVERY_S:
            self._write_status(sent, total, reached)

    def finish(self) -> Progress:
        """All days are in Kafka."""
        finished_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._progress = replace(self._progress, finished_at=finished_at)
        keeping.write(self._home, self._kept.advanced(self._progress))
        sent = self._progress.sent
        self._bar.update(self._task, completed=sent, total=sent)
        self._status.phase = "back-filled"
        self._write_status(sent, sent, f"{from_millis(self._kept.end_ms):%Y-%m-%d %H:%M}")
        return self._progress

    def _write_status(self, sent: int, total: int, reached: str) -> None:
        self._status.done, self._status.total, self._status.event_time = sent, total, reached
        reporting.write(self._home, self._status)
        self._status_s = time.monotonic()
