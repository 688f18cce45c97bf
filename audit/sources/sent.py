"""Which events of a replay are surely in Kafka, where it was broken off."""

from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

Bounds = tuple[int | None, int | None]
"""Event times in Unix milliseconds, from the first (included) to the second (excluded); None for no bound."""


@dataclass(frozen=True)
class Sent:
    """What the replays of a data set have sent.

    `surely` is what Kafka has acknowledged. `perhaps` is what a replay that was broken off had still to send:
    some of it came, for Kafka may take what it had no time to acknowledge.
    """

    surely: tuple[Bounds, ...] = ((None, None),)
    perhaps: tuple[Bounds, ...] = ()

    def certain(self, events: pa.Table) -> pa.Table:
        """The events (with `occurred_at`) without those that are there only perhaps."""
        if not self.perhaps:
            return events
        at = events["occurred_at"].cast(pa.int64())
        doubtful = pc.and_(_within(at, self.perhaps), pc.invert(_within(at, self.surely)))
        return events.filter(pc.invert(doubtful))


EVERYTHING = Sent()


def _within(at: pa.ChunkedArray, ranges: tuple[Bounds, ...]) -> pa.ChunkedArray:
    def inside(bounds: Bounds) -> pa.ChunkedArray:
        start, end = bounds
        begun = pc.is_valid(at) if start is None else pc.greater_equal(at, start)
        return begun if end is None else pc.and_(begun, pc.less(at, end))

    return reduce(pc.or_, map(inside, ranges))
