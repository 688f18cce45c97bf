"""Notifies the workers of a service about commits, with PostgreSQL's LISTEN and NOTIFY."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import asyncpg

from common.settings import Settings
from producers.kit.postgres.errors import TRANSIENT, closed_is_transient
from producers.kit.postgres.pool import connect, is_connection_lost

_NOTIFY = "SELECT pg_notify(channel, '') FROM unnest($1::text[]) AS channel"


class Listener:
    """Listens to one channel on a connection of its own; use with `async with`.

    Call `clear`, then look for work, then call `wait`: a notification between these calls ends `wait` at
    once. The loss of the connection ends `wait`, too.
    """

    def __init__(self, settings: Settings, schema: str, channel: str) -> None:
        self._settings = settings
        self._schema = schema
        self._channel = channel
        self._notified = asyncio.Event()
        self.connection: Any = None

    async def __aenter__(self) -> Self:
        self.connection = await connect(self._settings, self._schema)
        self.connection.add_termination_listener(lambda _connection: self.notify())
        try:
            await self.connection.add_listener(self._channel, lambda *_: self.notify())
        except BaseException:
            self.connection.terminate()
            raise
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        closed = self.connection.is_closed()
        self.connection.terminate()
        if isinstance(error, asyncpg.InterfaceError):
            with closed_is_transient(lambda: closed):
                raise error

    def notify(self) -> None:
        """End the current `wait`, or the next one."""
        self._notified.set()

    @property
    def is_notified(self) -> bool:
        """Whether the next `wait` returns at once."""
        return self._notified.is_set()

    def clear(self) -> None:
        """Discard earlier notifications."""
        self._notified.clear()

    async def wait(self, timeout_s: float) -> None:
        """Wait for a notification, at most `timeout_s`.

        `asyncio.wait_for` of Python 3.11 would ignore a cancellation that arrives with a notification, and
        the process would never end.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._notified.wait()


class Notifier:
    """Notifies the listeners of a service's channels: directly in this process, by `NOTIFY` in others.

    `NOTIFY` runs after the commit and not in the transaction, because PostgreSQL serializes the commits of
    transactions that contain one, including their disk flush (docs/decisions/checkout-saga.md).
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._local_listeners: dict[str, Listener] = {}

    def listen(self, settings: Settings, channel: str) -> Listener:
        """Return a listener to a channel. Only `NOTIFY` reaches it until it is the `local_listener`."""
        return Listener(settings, self._service, self._qualified(channel))

    @contextmanager
    def local_listener(self, channel: str, listener: Listener) -> Iterator[None]:
        """While the block runs, notify only this listener about commits of this process, without `NOTIFY`."""
        self._local_listeners[channel] = listener
        try:
            yield
        finally:
            del self._local_listeners[channel]

    async def notify(self, connection: Any, channels: Iterable[str]) -> None:
        """Notify the listeners of these channels.

        A failed `NOTIFY` is ignored: workers also look for work at regular intervals.
        """
        remote = []
        for channel in channels:
            if listener := self._local_listeners.get(channel):
                listener.notify()
            else:
                remote.append(self._qualified(channel))
        if remote:
            with suppress(*TRANSIENT), closed_is_transient(lambda: is_connection_lost(connection)):
                await connection.execute(_NOTIFY, remote)

    def _qualified(self, channel: str) -> str:
        return f"{self._service}_{channel}"
