"""How fast shoppers live: as fast as was asked, and slower while the platform does not keep up. Pure.

A platform whose cores are full answers late, then refuses, and its figures fall behind. Who asked for more
events than it can take learns how many those are, instead of reading errors: each step of every visit comes
later, at once and alike for all.
"""

from collections import deque
from typing import NamedTuple

MANY_WAITING = 100
"""Requests of one address that wait for their turn; with ten times as many they are refused."""

LONG_UNSENT_S = 3.0
"""Worth of browsing events that wait to be sent."""

STOOD_S, FORGOTTEN_A_S = 1.0, 0.1
"""Where shoppers stood still for so long, so much of it forgotten a second, they came too fast."""

MANY_UNANSWERED = 5
"""Requests since the last look that were refused or not answered: fewer are a mishap."""

PAUSE_S = 3.0
"""Requests that waited are answered within so long after shoppers slowed down."""

LATE_S, CURRENT_S = 20.0, 10.0
"""Figures further behind than the first are late; below the second they are up to date (usual: 1 to 6)."""

OVER_S = (5.0, 20.0)
"""How fast figures come on is seen over at least and at most so long."""

CATCHING_UP = 1.1
"""Late figures that come on so many times as fast as time passes need no slower tempo."""

LEAST_CUT, CUT, MOST_CUT = 0.8, 0.7, 0.3
"""What a cut leaves of the tempo: the second for requests, as much as figures ask for between the others."""

FASTER_A_S, SLOWLY_A_S, SLOWEST = 0.005, 0.001, 0.1
"""It grows by so much of the asked one a second, by the second near what was too much the last time, and
never falls below the third."""

NEAR = 0.9
"""Times the tempo at which it was cut, and as far above it."""

STANDS_STILL = 0.2
"""Figures that come on slower than so many times as fast as time passes wait for a part that is away."""

CALM_S = 60.0
"""After so long without trouble it grows, too, where figures are neither late nor up to date."""


class Reading(NamedTuple):
    """What a seller sees: at `at_s` the figures are complete up to `as_of_s`, and the oldest order that they
    lack was placed `behind_s` before; 0 when they lack none. Seconds of one clock."""

    at_s: float
    as_of_s: float
    behind_s: float


class Signs(NamedTuple):
    """What shoppers notice: requests that wait for their turn, seconds' worth of events that wait to be sent,
    and requests that got no answer since the last look."""

    waiting: int
    unsent_s: float
    unanswered: int


class Tempo:
    """The clock of shoppers who live at `share` of the asked tempo; `reason` says why it is less than 1.

    While too many of them wait it stands still.
    """

    def __init__(self, begun_s: float) -> None:
        self.share = 1.0
        self.reason = ""
        self.stands = False
        self.late_s = 0.0
        """By how much the shoppers' clock is behind."""
        self._ticked_s = self._looked_s = begun_s
        self._cut_s = self._trouble_s = float("-inf")
        self._behind_s = 0.0
        self._borne = 1.0
        self._stood_s = 0.0
        self._readings: deque[Reading] = deque()

    def tick(self, now_s: float) -> None:
        """Let time pass for the shoppers; call it often."""
        self.late_s += max(0.0, now_s - self._ticked_s) * (1.0 - self.speed)
        self._ticked_s = now_s

    @property
    def speed(self) -> float:
        """Times the asked tempo, at this moment."""
        return 0.0 if self.stands else self.share

    def look(self, signs: Signs, now_s: float) -> None:
        """Judge by what shoppers notice, several times a second."""
        passed_s, self._looked_s = max(0.0, now_s - self._looked_s), now_s
        self._cut_s = min(self._cut_s, now_s)  # a clock may be set back
        stood, waits = self.stands, _waits(signs)
        self.stands = bool(waits)
        self._stood_s = max(0.0, self._stood_s + (passed_s if stood else -FORGOTTEN_A_S * passed_s))
        failed = signs.unanswered >= MANY_UNANSWERED
        if waits or failed:
            self._trouble_s = now_s
            if now_s - self._cut_s >= PAUSE_S and (failed or self._stood_s >= STOOD_S):
                self._borne, self._stood_s = self.share, 0.0
                self._cut(CUT, waits or f"{signs.unanswered:,} requests at once got no answer", now_s)
        elif self._behind_s <= CURRENT_S or now_s - self._trouble_s > CALM_S:
            near = NEAR * self._borne <= self.share <= self._borne / NEAR
            self.share = min(1.0, self.share + (SLOWLY_A_S if near else FASTER_A_S) * passed_s)
            if self.share == 1.0:
                self.reason, self._borne = "", 1.0

    def read(self, reading: Reading) -> None:
        """Judge by what a seller sees. A cut shows once all is counted that came before it."""
        self._behind_s = reading.behind_s
        self._readings.append(reading)
        while reading.at_s - self._readings[0].at_s > OVER_S[1]:
            self._readings.popleft()
        first = self._readings[0]
        if reading.behind_s <= LATE_S:
            return
        self._trouble_s = reading.at_s
        if reading.as_of_s < self._cut_s or reading.at_s - first.at_s < OVER_S[0]:
            return
        speed = (reading.as_of_s - first.as_of_s) / (reading.at_s - first.at_s)
        if speed < CATCHING_UP:
            if speed > STANDS_STILL:
                self._borne = min(1.0, self.share * speed)
            left = min(LEAST_CUT, max(MOST_CUT, speed * LEAST_CUT))
            self._cut(left, f"figures were {reading.behind_s:,.0f} s behind", reading.at_s)

    def _cut(self, left: float, reason: str, now_s: float) -> None:
        self.share, self.reason, self._cut_s = max(SLOWEST, self.share * left), reason, now_s


def _waits(signs: Signs) -> str:
    """What shoppers have to wait for; empty when it is not worth a word."""
    if signs.waiting > MANY_WAITING:
        return f"{signs.waiting:,} requests waited"
    if signs.unsent_s > LONG_UNSENT_S:
        return f"events of {signs.unsent_s:,.0f} s waited to be sent"
    return ""
