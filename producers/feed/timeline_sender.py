"""Sends timelines to Kafka, recovers from failures, and reports the acknowledged position."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from common.errors import PartUnavailable
from producers.feed.events import Timeline
from producers.feed.pace import Pace
from producers.feed.timeline_producer import ProducerFailed, TimelineProducer

OnProgress = Callable[[TimelineProducer], None]
"""Called a few times a second while events are sent."""

_SAVE_EVERY_S = 0.5
_STOP_S = 5.0
_MAX_FAILED_ATTEMPTS = 3


class TimelineSender:
    """Sends timelines, one after the other. If its producer fails, it creates a new one.

    `save` is called with the acknowledged position twice a second, and whenever sending ends or fails.
    """

    def __init__(
        self,
        bootstrap: str,
        schema_ids: Mapping[str, int],
        save: Callable[[int], None],
        on_progress: OnProgress,
    ) -> None:
        self._bootstrap = bootstrap
        self._schema_ids = schema_ids
        self._save = save
        self._on_progress = on_progress
        self._saved_s = 0.0
        self._producer = TimelineProducer(bootstrap, self._progress)

    def send(
        self, timeline: Timeline, start: int = 0, speed: float | None = None, from_ms: int | None = None
    ) -> None:
        """Send the events from position `start` on, and wait until Kafka has acknowledged all of them.

        `speed` is that of `Pace`. Events before `from_ms` (Unix milliseconds) are sent at once. After a
        failure, sending continues at the acknowledged position; events that are sent twice have the same ids.

        Raises:
            PartUnavailable: Kafka stays unavailable. Continue at the saved position.
        """
        position, failed_attempts = start, 0
        while position < len(timeline):
            try:
                with gc_disabled():
                    pace = Pace(timeline.due_at, position, speed, from_ms)
                    self._producer.run(timeline, position, self._schema_ids, pace)
            except ProducerFailed as error:
                failed_attempts = 0 if self._producer.acknowledged > position else failed_attempts + 1
                if failed_attempts >= _MAX_FAILED_ATTEMPTS:
                    raise PartUnavailable(
                        f"Kafka at {self._bootstrap} accepts no events ({error}). See `./souk status`, then "
                        "run the same command again: it continues where this run stopped"
                    ) from error
            except KeyboardInterrupt:
                self._producer.stop(_STOP_S)
                raise
            finally:
                self._save_position(self._producer.acknowledged)
            position = self._producer.acknowledged
            if position < len(timeline):
                self._producer = TimelineProducer(self._bootstrap, self._progress)

    def _progress(self, producer: TimelineProducer) -> None:
        if time.monotonic() - self._saved_s > _SAVE_EVERY_S:
            self._save_position(producer.acknowledged)
        self._on_progress(producer)

    def _save_position(self, position: int) -> None:
        self._save(position)
        self._saved_s = time.monotonic()


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Disable the garbage collector in the block.

    It would double the time and free nothing, because the millions of records have no reference cycles.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
