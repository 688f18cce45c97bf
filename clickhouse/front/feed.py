"""A request's body on its way from the event loop to the thread that reads it, a few megabytes at a time."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from clickhouse.front.errors import DatabaseError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_BUFFERED = 8 << 20
_HEAD_START = 1 << 20


class Feed:
    """Filled by `pump` in the event loop, read by `chunks` in a worker thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._started = asyncio.Event()
        self._changed = threading.Condition()
        self._pending: list[bytes] = []
        self._size = 0
        self._complete = False
        self._gone = False

    async def pump(self, receive: Receive) -> None:
        """Take the body in, then return when the client has gone away (or has its answer)."""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.abandon()
                return
            more = message.get("more_body", False)
            with self._changed:
                self._pending.append(message.get("body", b""))
                self._size += len(self._pending[-1])
                self._complete = not more
                full = self._size >= _BUFFERED
                self._changed.notify()
            if not more or self._size >= _HEAD_START:
                self._started.set()
            if full and more:
                self._room.clear()
                await self._room.wait()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def started(self) -> None:
        """Wait until a worker has something to do: the whole body, or a megabyte of it."""
        await self._started.wait()

    def abandon(self) -> None:
        """The client has gone: whoever reads on gets an error, so that half a body is never inserted."""
        with self._changed:
            self._gone = True
            self._changed.notify()
        self._started.set()

    def chunks(self) -> Iterator[bytes]:
        """The body, in a worker thread.

        Raises:
            DatabaseError: the client went away before the body's end.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._complete or self._gone)
                if self._gone:
                    message = "Cannot read all data: the client went away in the middle of the request."
                    raise DatabaseError(33, "CANNOT_READ_ALL_DATA", message)
                chunk, complete = b"".join(self._pending), self._complete
                self._pending.clear()
                self._size = 0
            self._loop.call_soon_threadsafe(self._room.set)
            if chunk:
                yield chunk
            if complete:
                return
