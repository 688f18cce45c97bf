"""Carries a request's body from the event loop to a thread, and a result from the engine to the loop."""

import asyncio
import contextlib
import fcntl
import os
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from clickhouse.sql_guard.errors import DatabaseError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

STALL_TIMEOUT_S = 30.0
"""Limit of the time without a new part of the body, as in ClickHouse (`http_receive_timeout`)."""

MAX_WHOLE_BODY = 4 << 20
"""Limit in bytes, as sent, of a body that must arrive completely before a thread reads it."""

_BUFFERED = 8 << 20
_HEAD_START = 1 << 20


class BodyStream:
    """A request's body: `fill` receives it in the event loop, `chunks` yields it in a worker thread.

    With `whole`, `started` returns after the last byte, so that no thread waits for the client, and the whole
    body must arrive within `timeout_s`. Without `whole`, each part of the body must.
    """

    def __init__(self, *, whole: bool, timeout_s: float = STALL_TIMEOUT_S) -> None:
        self._loop = asyncio.get_running_loop()
        self._whole = whole
        self._timeout_s = timeout_s
        self._room = asyncio.Event()
        self._started = asyncio.Event()
        self._changed = threading.Condition()
        self._pending: list[bytes] = []
        self._size = 0
        self._complete = False
        self._error: DatabaseError | None = None

    async def fill(self, receive: Receive) -> None:
        """Receive the body. Return when the client has disconnected, or when its response is complete."""
        more, end = True, self._loop.time() + self._timeout_s
        while more:
            if not self._whole:
                end = self._loop.time() + self._timeout_s
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                self._fail(DatabaseError(209, "SOCKET_TIMEOUT", "Timeout exceeded while reading the body."))
                break
            if message["type"] == "http.disconnect":
                self.abort()
                return
            more = message.get("more_body", False)
            full = self._add(message.get("body", b""), more=more)
            if self._whole and self._size > MAX_WHOLE_BODY:
                self._fail(_too_large())
                break
            if not more or (self._size >= _HEAD_START and not self._whole):
                self._started.set()
            if full and more and not self._whole:
                self._room.clear()
                await self._room.wait()
        while (await receive())["type"] != "http.disconnect":
            pass

    def _add(self, data: bytes, *, more: bool) -> bool:
        """Add a part of the body, and return whether the buffer is full."""
        with self._changed:
            self._pending.append(data)
            self._size += len(data)
            self._complete = not more
            self._changed.notify()
            return self._size >= _BUFFERED

    async def started(self) -> None:
        """Wait for the whole body, or without `whole` for its first megabyte.

        Raises:
            DatabaseError: the body did not arrive in time, or is too large.
        """
        await self._started.wait()
        if self._error is not None:
            raise self._error

    def abort(self) -> None:
        """Make `chunks` raise an error, because the client disconnected: no incomplete body is inserted."""
        self._fail(
            DatabaseError(
                33,
                "CANNOT_READ_ALL_DATA",
                "Cannot read all data: the client disconnected in the middle of the request.",
            )
        )

    def _fail(self, error: DatabaseError) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify()
        self._started.set()

    def chunks(self) -> Iterator[bytes]:
        """Yield the body, in a worker thread.

        Raises:
            DatabaseError: the client disconnected, or stalled, before the end of the body.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._complete or self._error)
                if self._error is not None:
                    raise self._error
                chunk, complete = b"".join(self._pending), self._complete
                self._pending.clear()
                self._size = 0
            self._loop.call_soon_threadsafe(self._room.set)
            if chunk:
                yield chunk
            if complete:
                return


def _too_large() -> DatabaseError:
    return DatabaseError(
        62,
        "SYNTAX_ERROR",
        f"Max query size exceeded: Syntax error: the body of a reader's request is larger than "
        f"{MAX_WHOLE_BODY} bytes.",
    )


CAPACITY = 1 << 20


class ResultPipe:
    """The pipe of one response. The engine opens `path`. After `close_writing`, `read` reaches the end.

    The engine writes the pipe like a file, so every format can be streamed. The pipe exerts back-pressure: a
    slow client slows only its own query, and no result is in memory as a whole.
    """

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
