"""Bounds the responses that a process sends for a long time: streams and large files."""

from collections import Counter
from collections.abc import Callable
from functools import cache

from common.problems import problem

TOO_MANY_STREAMS = problem(429, "too-many-streams", "Too many streams", "{detail}", retry_after_s=5)
"""A seller, or everybody together, has too many long responses open."""


class StreamSlots:
    """The open responses of one kind, such as `exports`. Use it from one event loop only."""

    def __init__(self, what: str, of_seller: int, of_all: int, whose: str = "seller") -> None:
        """`whose` is the word for one of those who share the slots, in messages."""
        self._what, self._whose = what, whose
        self._of_seller, self._of_all = of_seller, of_all
        self._open: Counter[str] = Counter()

    def take(self, seller_id: str) -> Callable[[], None]:
        """Count one more response for a seller, and return a function that ends it.

        A second call of that function does nothing.

        Raises:
            TOO_MANY_STREAMS: the seller, or everybody together, has as many as are allowed.
        """
        if self._open[seller_id] >= self._of_seller:
            raise TOO_MANY_STREAMS(
                detail=f"This {self._whose} has {self._of_seller} {self._what} open at this server, which is "
                "the limit. Close one, or wait until it ends."
            )
        if self._open.total() >= self._of_all:
            raise TOO_MANY_STREAMS(detail=f"Too many {self._what} are open. Try again in a moment.")
        self._open[seller_id] += 1

        @cache  # so a second call does nothing
        def end() -> None:
            self._open -= Counter((seller_id,))

        return end
