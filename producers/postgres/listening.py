"""Sleeping until there is something to do, and waking who sleeps once that is committed."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import asyncpg

from common.settings import Settings
from producers.postgres.errors import AWAY, closed_is_away
from producers.postgres.pool import connect, is_lost
from producers.postgres.queries import load_queries

SQL = load_queries(__file__)


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

    @property
    def is_awake(self) -> bool:
        """Whether the next `wait` ends at once."""
        return self._woken.is_set()

    def clear(self) -> None:
        """Forget what woke before."""
        self._woken.clear()

    async def wait(self, timeout_s: float) -> None:
        """Until woken, at most so long."""
        try:
            await asyncio.wait_for(self._woken.wait(), timeout_s)
        except TimeoutError:
            return


class Waking:
    """Wakes who sleeps on a service's channels: in this process at once, in others by `NOTIFY`.

    After the commit, not in the transaction: PostgreSQL lets one of those with a `NOTIFY` commit at a time,
    its flush of the disk included (docs/decisions/checkout-saga.md).
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._here: dict[str, Listening] = {}

    def listen(self, settings: Settings, channel: str) -> Listening:
        """Who sleeps on a channel; until it is `here` it is woken from other processes only by `NOTIFY`."""
        return Listening(settings, self._service, self._known_as(channel))

    @contextmanager
    def here(self, channel: str, sleeper: Listening) -> Iterator[None]:
        """While the block runs this process does the channel's work: its commits wake this sleeper alone."""
        self._here[channel] = sleeper
        try:
            yield
        finally:
            del self._here[channel]

    async def wake(self, connection: Any, channels: Iterable[str]) -> None:
        """Wake who sleeps on these channels. Where PostgreSQL is away nobody hears: who sleeps looks
        by itself after a while."""
        elsewhere = []
        for channel in channels:
            if sleeper := self._here.get(channel):
                sleeper.wake()
            else:
                elsewhere.append(self._known_as(channel))
        if elsewhere:
            with suppress(*AWAY), closed_is_away(lambda: is_lost(connection)):
                await connection.execute(SQL["wake"], elsewhere)

    def _known_as(self, channel: str) -> str:
        return f"{self._service}_{channel}"
