"""Reads a value of another part again and again, for answers that must not wait for that part."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from common.errors import SoukError
from common.http_client import RequestFailed
from serving.kit.domain import stop_task

T = TypeVar("T")

log = structlog.get_logger()


class PolledValue(Generic[T]):
    """A value that is read every `every_s` seconds. While it can't be read, the last known one stays."""

    def __init__(
        self, name: str, first: T, read: Callable[[], Awaitable[T]], every_s: float, timeout_s: float
    ) -> None:
        self._name, self._read = name, read
        self._every_s, self._timeout_s = every_s, timeout_s
        self._task: asyncio.Task[None] | None = None
        self._failing = False
        self.value = first
        """The newest value; `first` until the first reading succeeds."""

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def aclose(self) -> None:
        """Stop reading."""
        await stop_task(self._task)

    async def refresh(self) -> None:
        """Read the value once."""
        try:
            async with asyncio.timeout(self._timeout_s):
                self.value = await self._read()
        except (SoukError, RequestFailed, TimeoutError, KeyError, TypeError, ValueError) as error:
            if not self._failing:
                log.warning("using the last known value", value=self._name, reason=str(error))
            self._failing = True
        else:
            self._failing = False

    async def _run(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(self._every_s)
