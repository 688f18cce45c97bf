"""What is to happen when, played in the order of time."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

from producers.simulator.calendar import DAY_MS


class Agenda:
    """Steps still to come; steps of one moment are played in the order in which they were put down."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._tie = count()

    def at(self, moment_ms: int, step: Callable[..., None], *arguments: Any) -> None:
        """Have `step(moment_ms, *arguments)` happen then."""
        heapq.heappush(self._steps, (moment_ms, next(self._tie), step, arguments))

    def after(self, now_ms: int, days: float, step: Callable[..., None], *arguments: Any) -> None:
        """Have it happen so many days from now."""
        self.at(now_ms + int(days * DAY_MS), step, *arguments)

    def play(self, until_ms: int) -> None:
        """Let everything before this moment happen, and all that follows from it before then."""
        while self._steps and self._steps[0][0] < until_ms:
            moment, _, step, arguments = heapq.heappop(self._steps)
            step(moment, *arguments)
