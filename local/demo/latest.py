"""Asks something again and again in a thread of its own, so that a slow answer never holds up the screen."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Generic, TypeVar

from common.errors import SoukError

Answer = TypeVar("Answer")


class Latest(Generic[Answer]):
    """The newest answer to `ask`, which is called every `period_s` seconds."""

    def __init__(self, ask: Callable[[], Answer], period_s: float) -> None:
        self.value: Answer | None = None
        """None until there is one."""
        self.problem = ""
        """Why the newest question got no answer; empty if it did."""
        self._ask, self._period_s, self._closed = ask, period_s, Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask no more; waits for the question that is open."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self.value, self.problem = self._ask(), ""
            except SoukError as error:
                self.problem = str(error)
            self._closed.wait(self._period_s)
