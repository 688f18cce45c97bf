"""A kernel pipe that carries the result of a query from the engine to the event loop.

The engine writes the pipe like a file, so every format can be streamed. The pipe exerts back-pressure: a slow
client slows only its own query, and no result is in memory as a whole.
"""

import asyncio
import contextlib
import fcntl
import os

CAPACITY = 1 << 20


class ResultPipe:
    """The pipe of one response. The engine opens `path`. After `close_writing`, `read` reaches the end."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        with contextlib.suppress(
            OSError
        ):  # beyond the system's limit for an ordinary user, the pipe stays smaller
            fcntl.fcntl(self._writing, fcntl.F_SETPIPE_SZ, CAPACITY)

    @property
    def path(self) -> str:
        """The path of the file that the engine writes."""
        return f"/dev/fd/{self._writing}"

    def close_writing(self) -> None:
        """Close the writing end."""
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1

    def close_reading(self) -> None:
        """Close the reading end."""
        if self._reading >= 0:
            os.close(self._reading)
            self._reading = -1

    async def read(self) -> bytes:
        """Return the next bytes; empty at the end."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return os.read(self._reading, CAPACITY)
            except BlockingIOError:
                ready = loop.create_future()
                loop.add_reader(self._reading, _wake, ready)
                try:
                    await ready
                finally:
                    loop.remove_reader(self._reading)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
