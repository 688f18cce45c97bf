"""Sends a history to Kafka day by day at full speed, and writes its ground truth."""

import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self

import structlog
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from common.clock import from_millis
from common.settings import Settings
from producers.feed.events import Timeline
from producers.feed.timeline_sender import TimelineProducer, TimelineSender, gc_disabled
from producers.simulator import saved_world
from producers.simulator import status as reporting
from producers.simulator.delivery import unreliable
from producers.simulator.ground_truth import GroundTruth
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.randomness import named_rng
from producers.simulator.saved_world import BackfillProgress, SavedWorld
from producers.simulator.status import SimulatorStatus

_STATUS_EVERY_S = 0.5

log = structlog.get_logger()


def send_history(
    saved: SavedWorld,
    progress: BackfillProgress,
    settings: Settings,
    schema_ids: Mapping[str, int],
) -> BackfillProgress:
    """Send the events that Kafka has not acknowledged yet, and save the progress; return the final progress.

    Every day is generated again from the seed, so that an event that is sent twice has the same id.

    Raises:
        PartUnavailable: Kafka stays unavailable; a later run of the command resumes.
    """
    history = SimulatedHistory(saved.plan)
    truth = GroundTruth(history.decisions)
    days = history.days(truth.add)
    with _BackfillSession(saved, progress, settings) as sending:
        delivery = TimelineSender(settings.kafka, schema_ids, sending.save, sending.show)
        for number in range(saved.plan.days):
            with gc_disabled():
                rng = named_rng(saved.plan.shape.seed, "delivery", number)
                timeline = unreliable(next(days), rng)
            if number >= progress.day:
                sending.begin(number, timeline)
                delivery.send(timeline, progress.position if number == progress.day else 0)
        truth.write(saved_world.directory_of(settings.home) / "truth")
        return sending.finish()


class _BackfillSession:
    """Saves the progress of a backfill, and shows it if there is a terminal."""

    def __init__(self, saved: SavedWorld, progress: BackfillProgress, settings: Settings) -> None:
        self._saved, self._progress, self._home = saved, progress, settings.home
        self._resumed_at = progress.sent
        self._before = progress.sent - progress.position
        self._timeline: Timeline | None = None
        self._status = SimulatorStatus("back-filling", progress.sent, saved.events)
        self._status_s = 0.0
        self._bar = Bar(
            TextColumn("{task.fields[reached]}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
            TextColumn("[yellow]{task.fields[trouble]}"), disable=not sys.stdout.isatty(),
        )  # fmt: skip
        self._task = self._bar.add_task(
            "", total=saved.events, completed=progress.sent, reached="", rate="", trouble=""
        )

    def __enter__(self) -> Self:
        if self._resumed_at:
            log.info("resuming", events=self._resumed_at)
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._bar.stop()
        if kind is KeyboardInterrupt:
            log.info("stopped: the same command resumes", events=self._progress.sent)

    def begin(self, day: int, timeline: Timeline) -> None:
        """Begin a day. All earlier days must be in Kafka."""
        if self._timeline is not None:
            self._before += len(self._timeline)
        self._timeline = timeline
        self._progress = replace(self._progress, day=day)

    def save(self, position: int) -> None:
        """Save that the first `position` events of the day are in Kafka."""
        self._progress = replace(self._progress, position=position, sent=self._before + position)
        saved_world.write(self._home, self._saved.with_progress(self._progress))

    def show(self, feed: TimelineProducer) -> None:
        """Update the progress bar, and the status file at most twice a second."""
        assert self._timeline is not None
        sent = self._before + feed.acknowledged
        at = int(self._timeline.due_at[min(feed.acknowledged, len(self._timeline) - 1)])
        elapsed = self._bar.tasks[0].elapsed or 0.0
        rate = f"{(sent - self._resumed_at) / elapsed:,.0f}/s" if elapsed > 1 else ""
        reached, total = f"{from_millis(at):%Y-%m-%d %H:%M}", max(sent, self._saved.events)
        self._bar.update(
            self._task, completed=sent, total=total, reached=reached, rate=rate, trouble=feed.trouble
        )
        if time.monotonic() - self._status_s > _STATUS_EVERY_S:
            self._write_status(sent, total, reached)

    def finish(self) -> BackfillProgress:
        """Save that all days are in Kafka."""
        finished_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._progress = replace(self._progress, finished_at=finished_at)
        saved_world.write(self._home, self._saved.with_progress(self._progress))
        sent = self._progress.sent
        self._bar.update(self._task, completed=sent, total=sent)
        self._status.phase = "back-filled"
        self._write_status(sent, sent, f"{from_millis(self._saved.end_ms):%Y-%m-%d %H:%M}")
        return self._progress

    def _write_status(self, sent: int, total: int, reached: str) -> None:
        self._status.done, self._status.total, self._status.event_time = sent, total, reached
        reporting.write(self._home, self._status)
        self._status_s = time.monotonic()
