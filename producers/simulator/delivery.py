"""Which events of the marketplace arrive late or twice.

Phones without a connection send their events later, carriers report in the evening, and whoever gets no
answer sends again. No figure may depend on it: copies have the id of the first event, and late events the
time at which they occurred.
"""

from random import Random

import numpy as np

from producers.feed.events import Millis, Timeline, merge
from schemas.services import EXTERNAL, owner_of, takers_of
from schemas.topics import EVENT_TOPICS

LATE_SHARE = 0.01
"""Share of the events of browsers and of other companies that arrive late. Our services' own do not."""

COPY_SHARE = 0.01
"""Share of all events that arrive a second time."""

HISTORY_DELAY_MS = 30 * 60_000
"""Mean delay of a late event or copy in the history. Delays are exponential and end with the day."""

LIVE_DELAY_S = 10.0
"""Mean delay of a late event or copy of live traffic. Delays are exponential."""

_INTAKE = "serving/event_collector"
MAY_BE_LATE = frozenset(
    topic.name
    for topic in EVENT_TOPICS
    if owner_of(topic.name) in (EXTERNAL, _INTAKE) or _INTAKE in takers_of(topic.name)
)


def unreliable(timeline: Timeline, rng: np.random.Generator) -> Timeline:
    """Return the events of a timeline with some of them late and some twice; none is lost."""
    if not len(timeline):
        return timeline
    end = timeline.due_at[-1]
    arriving, due_at = [], []
    for events in timeline.events:
        count = len(events)
        due = events.occurred_at.copy()
        if events.name in MAY_BE_LATE:
            late = np.flatnonzero(rng.random(count) < LATE_SHARE)
            due[late] += _delays(rng, len(late))
        copies = np.flatnonzero(rng.random(count) < COPY_SHARE)
        due = np.concatenate([due, due[copies] + _delays(rng, len(copies))])
        arriving.append(events.take(np.concatenate([np.arange(count), copies])))
        due_at.append(np.minimum(due, end))
    return merge(arriving, due_at)


def _delays(rng: np.random.Generator, count: int) -> Millis:
    return rng.exponential(HISTORY_DELAY_MS, count).astype(np.int64)


def draw_delays(event: str, random: Random) -> list[float]:
    """Return the seconds after which a live event is sent: one time, or two if it is sent twice."""
    late = event in MAY_BE_LATE and random.random() < LATE_SHARE
    first = random.expovariate(1 / LIVE_DELAY_S) if late else 0.0
    if random.random() >= COPY_SHARE:
        return [first]
    return [first, first + random.expovariate(1 / LIVE_DELAY_S)]
