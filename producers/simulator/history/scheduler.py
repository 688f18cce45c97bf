"""Runs scheduled steps in the order of simulated time."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

from producers.simulator.calendar import DAY_MS


class Scheduler:
    """A queue of steps; steps of the same time run in the order in which they were scheduled."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._tie = count()

    def schedule_at(self, moment_ms: int, step: Callable[..., None], *arguments: Any) -> None:
        """Schedule `step(moment_ms, *arguments)` at this time."""
        heapq.heappush(self._steps, (moment_ms, next(self._tie), step, arguments))

    def schedule_after(self, now_ms: int, days: float, step: Callable[..., None], *arguments: Any) -> None:
        """Schedule a step this many days after `now_ms`."""
        self.schedule_at(now_ms + int(days * DAY_MS), step, *arguments)

    def run_until(self, until_ms: int) -> None:
        """Run all steps before this time, including those that they schedule before it."""
        while self._steps and self._steps[0][0] < until_ms:
            moment, _, step, arguments = heapq.heappop(self._steps)
            step(moment, *arguments)
