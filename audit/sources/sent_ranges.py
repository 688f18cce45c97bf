"""The time ranges whose events a replay has sent completely, or may have sent in part."""

from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

Bounds = tuple[int | None, int | None]
"""Event times in Unix milliseconds, from the first (included) to the second (excluded); None for no bound."""


@dataclass(frozen=True)
class SentRanges:
    """The ranges that the replays of a data set have sent.

    `acknowledged` are the ranges that Kafka has acknowledged. `uncertain` are the ranges that an interrupted
    replay had not finished: Kafka may hold some of their events without having acknowledged them.
    """

    acknowledged: tuple[Bounds, ...] = ((None, None),)
    uncertain: tuple[Bounds, ...] = ()

    def acknowledged_events(self, events: pa.Table) -> pa.Table:
        """Return the events (with `occurred_at`) without those of uncertain ranges."""
        if not self.uncertain:
            return events
        at = events["occurred_at"].cast(pa.int64())
        uncertain = pc.and_(_within(at, self.uncertain), pc.invert(_within(at, self.acknowledged)))
        return events.filter(pc.invert(uncertain))


EVERYTHING = SentRanges()


def _within(at: pa.ChunkedArray, ranges: tuple[Bounds, ...]) -> pa.ChunkedArray:
    def inside(bounds: Bounds) -> pa.ChunkedArray:
        start, end = bounds
        begun = pc.is_valid(at) if start is None else pc.greater_equal(at, start)
        return begun if end is None else pc.and_(begun, pc.less(at, end))

    return reduce(pc.or_, map(inside, ranges))
