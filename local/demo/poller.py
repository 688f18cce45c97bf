"""Calls a function periodically in a thread, so that a slow result does not delay the screen."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Generic, TypeVar

from common.errors import SoukError

Result = TypeVar("Result")


class Poller(Generic[Result]):
    """Calls `poll` every `interval_s` seconds and keeps the newest result."""

    def __init__(self, poll: Callable[[], Result], interval_s: float) -> None:
        self.value: Result | None = None
        """The newest result; None before the first."""
        self.problem = ""
        """The error of the newest call; empty if it succeeded."""
        self._poll, self._interval_s, self._closed = poll, interval_s, Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop polling. Waits for a call that is running."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self.value, self.problem = self._poll(), ""
            except SoukError as error:
                self.problem = str(error)
            self._closed.wait(self._interval_s)
