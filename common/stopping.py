"""How a process stops: `/ready` is 503 first, and its servers accept no new connections a little later."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType

import structlog

log = structlog.get_logger()

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Whether this process has been told to stop."""

    reason = "the process has been told to stop: use another one"

    def __init__(self) -> None:
        self.event = threading.Event()
        """Is set from then on."""

    @property
    def has_begun(self) -> bool:
        """Whether the process has been told to stop."""
        return self.event.is_set()

    def begin(self) -> None:
        """Note that the process has been told to stop. The handler of a signal may call it."""
        self.event.set()


@asynccontextmanager
async def drained_before_stop(stopping: Stopping, drain_s: float) -> AsyncIterator[None]:
    """Delay what the server of this process does at SIGTERM and SIGINT by `drain_s`.

    A load balancer or a gateway uses the time to see that `/ready` is 503, and sends new requests elsewhere.
    The first signal begins `stopping`. A second one has the effect of the server's own handler at once.
    Enter the context in the lifespan of the application: the server has installed its handlers by then.
    """
    if threading.current_thread() is threading.main_thread():
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            _delay(number, stopping, drain_s, loop)
    yield


def _delay(
    number: signal.Signals, stopping: Stopping, drain_s: float, loop: asyncio.AbstractEventLoop
) -> None:
    stop = signal.getsignal(number)
    if not callable(stop):
        return
    handler: Callable[[int, FrameType | None], object] = stop

    def handle(received: int, frame: FrameType | None) -> None:
        if stopping.has_begun:
            handler(received, frame)
            return
        stopping.begin()
        loop.call_soon_threadsafe(drain, received)

    def drain(received: int) -> None:
        log.info("stopping", drain_s=drain_s)  # not in the signal's handler, which may interrupt a line
        loop.call_later(drain_s, handler, received, None)

    signal.signal(number, handle)
