"""Events that are sent later than they occurred."""

import heapq
from collections.abc import Callable, Iterator
from itertools import count
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")


class HeldBack(Generic[Item]):
    """A queue of items with the times at which they are due. `now_s` is a clock in seconds."""

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._tie = count()
        self._items: list[tuple[float, int, Item]] = []

    def add(self, item: Item, delay_s: float) -> None:
        """Hold an item back for `delay_s`."""
        heapq.heappush(self._items, (self._now_s() + delay_s, next(self._tie), item))

    def due(self) -> Iterator[Item]:
        """Remove and yield the items that are due, the earliest first."""
        now_s = self._now_s()
        while self._items and self._items[0][0] <= now_s:
            yield heapq.heappop(self._items)[2]

    def all(self) -> Iterator[Item]:
        """Remove and yield all items, the earliest first."""
        while self._items:
            yield heapq.heappop(self._items)[2]
