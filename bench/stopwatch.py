"""Measures the seconds of a block of code."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds of the block; within the block, those until now."""
    begun = time.perf_counter()
    ended: list[float] = []
    try:
        yield lambda: (ended[0] if ended else time.perf_counter()) - begun
    finally:
        ended.append(time.perf_counter())
