"""Delivers timelines to Kafka through its failures, and has their position written down on the way."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from common.errors import PartUnavailable
from producers.feed.events import Timeline
from producers.feed.feed import Feed, FeedBroken
from producers.feed.pace import Pace

OnProgress = Callable[[Feed], None]
"""Called a few times a second while events are acknowledged."""

_SAVE_EVERY_S = 0.5
_STOP_S = 5.0
_FRUITLESS_TRIES = 3


class Delivery:
    """Sends one timeline after the other with a feed, and with a new one when that breaks for good.

    `save` is given the acknowledged position twice a second and whenever sending ends, however it ends.
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
        self._feed = Feed(bootstrap, self._progress)

    def send(
        self, timeline: Timeline, start: int = 0, speed: float | None = None, from_ms: int | None = None
    ) -> None:
        """Send what follows the first `start` events, and wait until Kafka has all of it: as fast as
        `speed` says, and what happened before `from_ms` (Unix milliseconds) at once.

        A new feed goes on at the acknowledged position: the events sent twice have the same ids.

        Raises:
            PartUnavailable: Kafka stayed away; the saved position is where to go on.
        """
        position, fruitless = start, 0
        while position < len(timeline):
            try:
                with without_collecting():
                    pace = Pace(timeline.occurred_at, position, speed, from_ms)
                    self._feed.run(timeline, position, self._schema_ids, pace)
            except FeedBroken as error:
                fruitless = 0 if self._feed.acknowledged > position else fruitless + 1
                if fruitless >= _FRUITLESS_TRIES:
                    raise PartUnavailable(
                        f"Kafka at {self._bootstrap} takes no events ({error}): see `./souk status`, then "
                        "run the same command again: it goes on where this one stopped"
                    ) from error
            except KeyboardInterrupt:
                self._feed.stop(_STOP_S)
                raise
            finally:
                self._keep(self._feed.acknowledged)
            position = self._feed.acknowledged
            if position < len(timeline):
                self._feed = Feed(self._bootstrap, self._progress)

    def _progress(self, feed: Feed) -> None:
        if time.monotonic() - self._saved_s > _SAVE_EVERY_S:
            self._keep(feed.acknowledged)
        self._on_progress(feed)

    def _keep(self, position: int) -> None:
        self._save(position)
        self._saved_s = time.monotonic()


@contextmanager
def without_collecting() -> Iterator[None]:
    """Millions of records without a cycle among them: the garbage collector would double the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
