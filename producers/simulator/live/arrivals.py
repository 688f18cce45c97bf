"""How many visits begin, so that events come at the rate that was asked for. Pure."""

from producers.simulator.history.plan import EVENTS_PER_VISIT

RAMP_S = 30.0
"""Shoppers come more and more for so long: a platform that has just started still compiles."""

AVERAGED_S = 5.0
"""The rate is that of about the last so many seconds."""

AT_ONCE = 1.0
"""Times the visits of a steady rate that begin in addition while there are no events at all. Visits go on for
many minutes: with no more than that, the rate would be reached after half an hour. But those who come first
ask for more lists than those who stay."""

LEARNT_IN_S = 900.0
"""What the rate stays off for so long is made up for, as where visits have fewer events than history's."""

MOST_LEARNT = 0.5


class Arrivals:
    """Lets visits begin by how far the rate (events a second) is off, and for how long it has been.

    Where shoppers live slower (tempo.py), it is their seconds that count.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._lasted_s = 0.0
        self._seen = 0.0
        self._learnt = 0.0

    def due(self, events: int, elapsed_s: float) -> float:
        """The visits expected to begin in the next `elapsed_s`, after as long with so many events."""
        self._lasted_s += elapsed_s
        self._seen += (events / elapsed_s - self._seen) * min(1.0, elapsed_s / AVERAGED_S)
        off = 1.0 - self._seen / self._rate
        learnt = self._learnt + off * elapsed_s / LEARNT_IN_S
        self._learnt = min(max(learnt, -MOST_LEARNT), MOST_LEARNT)
        steady = self._rate / EVENTS_PER_VISIT * min(1.0, self._lasted_s / RAMP_S)
        return steady * max(0.0, 1.0 + AT_ONCE * off + self._learnt) * elapsed_s
