"""A kernel pipe: the engine writes an answer into it as into a file, the event loop sends it on.

Every format is streamed with the kernel's back-pressure: a slow client slows only its own query, and no
response is in memory as a whole.
"""

import asyncio
import contextlib
import fcntl
import os

CAPACITY = 1 << 20


class ResultPipe:
    """The pipe of one response: the engine opens `path`; after `close_writing`, `read` reaches the end."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        with contextlib.suppress(
            OSError
        ):  # the system's limit for an ordinary user: the pipe is smaller then
            fcntl.fcntl(self._writing, fcntl.F_SETPIPE_SZ, CAPACITY)

    @property
    def path(self) -> str:
        """The file that the engine writes."""
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
        """The next bytes, empty at the end."""
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
