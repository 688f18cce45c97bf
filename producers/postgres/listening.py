"""Sleeping until another transaction says that there is something to do (`NOTIFY`)."""

import asyncio
from typing import Any, Self

import asyncpg

from common.settings import Settings
from producers.postgres.errors import closed_is_away
from producers.postgres.pool import connect


class Listening:
    """A connection of its own that listens to one channel; `async with`. Its end wakes the sleeper, too.

    The rule of who uses it: `clear`, then look for work, then `wait`. What comes in between wakes at once.
    """

    def __init__(self, settings: Settings, schema: str, channel: str) -> None:
        self._settings = settings
        self._schema = schema
        self._channel = channel
        self._woken = asyncio.Event()
        self.connection: Any = None

    async def __aenter__(self) -> Self:
        self.connection = await connect(self._settings, self._schema)
        self.connection.add_termination_listener(lambda _connection: self.wake())
        await self.connection.add_listener(self._channel, lambda *_: self.wake())
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        closed = self.connection.is_closed()
        self.connection.terminate()
        if isinstance(error, asyncpg.InterfaceError):
            with closed_is_away(lambda: closed):
                raise error

    def wake(self) -> None:
        """End the present `wait`, or the next."""
        self._woken.set()

    def clear(self) -> None:
        """Forget what woke before."""
        self._woken.clear()

    async def wait(self, timeout_s: float) -> None:
        """Until woken, at most so long."""
        try:
            await asyncio.wait_for(self._woken.wait(), timeout_s)
        except TimeoutError:
            return
