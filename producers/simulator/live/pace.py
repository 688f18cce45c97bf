"""How fast shoppers live: as fast as was asked, and slower while the platform does not keep up. Pure.

A platform whose cores are full answers late, then refuses, and its figures fall behind. Who asked for more
events than it can take learns how many those are, instead of reading errors: each step of every visit comes
later, at once and alike for all. Nothing waits for an answer, so the times of answers stay those of the rate
that is shown.
"""

from dataclasses import dataclass

LOOK_EVERY_S = 5.0

GRACE_S = 60.0
"""Not judged so long after the start: the figures are those of when traffic ended the last time."""

LATE_S, CURRENT_S = 20.0, 10.0
"""Figures further behind than the first are late; below the second they are up to date (usual: 1 to 6)."""

CATCHING_UP = 0.3
"""Late figures that get nearer by so much of the time that passes need no slower pace."""

MANY_WAITING = 100
"""Requests that wait for their turn; they are refused when there are twice as many."""

SLOWER, FASTER, SLOWEST = 0.8, 0.02, 0.1
"""Times the pace, plus of the asked one, and never below."""


@dataclass(frozen=True)
class Signs:
    """What shoppers and sellers notice: by how much figures are behind (None: not known), how many requests
    wait for their turn, and how many got no answer since the last look."""

    behind_s: float | None
    waiting: int
    unanswered: int


class Pace:
    """The clock of shoppers who live at `share` of the asked pace; `reason` says why it is less than 1."""

    def __init__(self, begun_ms: int) -> None:
        self.share = 1.0
        self.reason = ""
        self._begun_ms = self._seen_ms = begun_ms
        self._late_ms = 0.0
        self._behind_s: float | None = None

    def shoppers_ms(self, now_ms: int) -> int:
        """What a shopper's clock says now; ask often, for the pace counts from the last time on."""
        self._late_ms += (now_ms - self._seen_ms) * (1.0 - self.share)
        self._seen_ms = now_ms
        return now_ms - round(self._late_ms)

    def real_ms(self, shoppers_ms: int) -> int:
        """About when it is so late for the shoppers."""
        return shoppers_ms + round(self._late_ms)

    def look(self, signs: Signs, now_ms: int) -> None:
        """Judge the pace, every `LOOK_EVERY_S`."""
        before_s, self._behind_s = self._behind_s, signs.behind_s
        if now_ms - self._begun_ms < GRACE_S * 1000:
            return
        if trouble := _trouble(signs, before_s):
            self.share, self.reason = max(SLOWEST, self.share * SLOWER), trouble
        elif signs.behind_s is not None and signs.behind_s < CURRENT_S:
            self.share = min(1.0, self.share + FASTER)
        if self.share == 1.0:
            self.reason = ""


def _trouble(signs: Signs, before_s: float | None) -> str:
    """What asks for a slower pace; empty when nothing does."""
    if signs.unanswered:
        return f"{signs.unanswered:,} requests got no answer"
    if signs.waiting > MANY_WAITING:
        return f"{signs.waiting:,} requests waited"
    if signs.behind_s is None or signs.behind_s <= LATE_S:
        return ""
    nearer = before_s is not None and before_s - signs.behind_s > CATCHING_UP * LOOK_EVERY_S
    return "" if nearer else f"figures were {signs.behind_s:,.0f} s behind"
