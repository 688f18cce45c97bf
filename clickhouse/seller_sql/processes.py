"""The processes in which sellers' queries run: each serves one seller for some minutes, then it is killed."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from clickhouse.seller_sql import frames, limits, walls
from clickhouse.sql_guard.errors import DatabaseError
from common.errors import SoukError
from common.settings import ROOT

MAX_PROCESSES = 3
"""Processes at a time, the warm one included. So many sellers' queries run at once."""

MAX_AGE_S = 600.0
"""How long a process serves its seller at most. It holds rows only during a query."""

START_TIMEOUT_S = 60.0
WAIT_S = 1.0
"""How long a query may wait for a process while all are busy and none starts."""

START_WAIT_S = 5.0
"""How long it may wait if one starts, which takes some seconds on a slow machine."""

SWEEP_EVERY_S = 5.0

_ERROR = TypeAdapter(tuple[int, str, str])
"""The code, the name and the text of an error, as `frames.error_frame` writes them."""

log = structlog.get_logger()


class Unavailable(SoukError):
    """No query can be run; the message says why."""


class SellerProcess:
    """A confined process with an engine in memory. It serves one query at a time."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.seller_id: str | None = None
        """The only seller whose rows the process ever gets."""
        self.assigned_at = 0.0
        self.used_at = 0.0
        self.is_busy = False
        self._is_killed = False

    @classmethod
    async def start(cls, database: str, *, guard: bool = True) -> "SellerProcess":
        """Start a process, and wait until it is confined and its engine works.

        Raises:
            Unavailable: it can't be confined, or does not start.
        """
        if reason := walls.reason_missing():
            raise Unavailable(f"queries of sellers need a confined process: {reason}")
        ours, theirs = socket.socketpair()
        scratch = Path(tempfile.mkdtemp(prefix="souk-seller-sql-"))
        process: subprocess.Popen[bytes] | None = None
        try:
            arguments = [
                str(theirs.fileno()),
                str(scratch),
                str(os.getpid()),
                json.dumps({"database": database, "guard": guard}),
            ]
            process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-m", "clickhouse.seller_sql.worker", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=scratch,
                env={"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
            theirs.close()
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            started = cls(process, reader, writer)
            async with asyncio.timeout(START_TIMEOUT_S):
                await started.receive(frames.READY)
        except BaseException as error:  # it may also be given up
            if process is not None:
                process.kill()
                process.wait()
            ours.close()
            if not isinstance(error, (DatabaseError, OSError, TimeoutError)):
                raise
            reason = error.message if isinstance(error, DatabaseError) else str(error) or "it does not start"
            raise Unavailable(f"queries of sellers need a confined process: {reason}") from error
        finally:
            theirs.close()
            shutil.rmtree(scratch, ignore_errors=True)
        return started

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs, and was not killed."""
        return not self._is_killed and self._process.poll() is None

    async def send(self, kind: bytes, body: bytes = b"") -> None:
        """Send a message. Raises DatabaseError if the process has ended."""
        try:
            self._writer.write(frames.frame(kind, body))
            await self._writer.drain()
        except OSError as error:
            raise self._ended() from error

    async def receive(self, expected: bytes) -> bytes:
        """Return the body of the next message.

        Raises:
            DatabaseError: it is the message of an error, another one or too long, or the process has ended.
                The name is `limits.ENDED` if the process must not be used again.
        """
        try:
            kind, length = frames.HEADER.unpack(await self._reader.readexactly(frames.HEADER.size))
            if kind not in (expected, frames.ERROR) or length > frames.MAX_LENGTH:
                self.kill()
                raise self._ended()
            body = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise self._ended() from error
        if kind == frames.ERROR:
            try:
                raise DatabaseError(*_ERROR.validate_json(body))
            except ValidationError:
                raise limits.broken_process() from None
        return body

    def _ended(self) -> DatabaseError:
        return DatabaseError(
            241,
            limits.ENDED,
            "The query ended its process, which happens if it needs more memory than there is.",
        )

    def kill(self) -> None:
        """End the process at once."""
        self._is_killed = True
        with contextlib.suppress(OSError):
            self._process.kill()
        self._writer.close()

    async def wait(self) -> None:
        """Wait until a killed process is gone."""
        await asyncio.to_thread(self._process.wait)


Start = Callable[[], Coroutine[Any, Any, SellerProcess]]
Clock = Callable[[], float]


class ProcessPool:
    """Lends the processes to queries. Use it from one event loop only."""

    def __init__(self, start: Start, clock: Clock = time.monotonic) -> None:
        self._start = start
        self._clock = clock
        self._processes: list[SellerProcess] = []
        self._starting = 0
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def processes(self) -> tuple[SellerProcess, ...]:
        """The processes that have started."""
        return tuple(self._processes)

    async def open(self) -> None:
        """Start the first process, and look for old ones from now on.

        Raises:
            Unavailable: it can't be confined, or does not start.
        """
        self._in_background(self._sweep())
        await self._add()

    async def aclose(self) -> None:
        """Kill all processes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for process in [*self._processes]:
            await self._remove(process)

    @asynccontextmanager
    async def process_of(self, seller_id: str) -> AsyncIterator[SellerProcess]:
        """Lend a process that has served no other seller. One that has ended or was left early is replaced.

        Raises:
            Unavailable: all processes are busy, or none can be started.
        """
        process = await self._take(seller_id)
        is_finished = False
        try:
            yield process
            is_finished = True
        except DatabaseError as error:
            is_finished = error.name != limits.ENDED
            raise
        finally:
            process.is_busy, process.used_at = False, self._clock()
            if not is_finished or not process.is_alive:
                await self._remove(process)
            async with self._changed:
                self._changed.notify_all()
            self._warm()

    async def _take(self, seller_id: str) -> SellerProcess:
        asked_at = self._clock()
        while True:
            if (process := self._find(seller_id)) is not None:
                if process.seller_id is None:
                    process.seller_id, process.assigned_at = seller_id, self._clock()
                process.is_busy = True
                self._warm()
                return process
            if len(self._processes) + self._starting < MAX_PROCESSES:
                await self._add()
            elif idle := [each for each in self._processes if not each.is_busy]:
                await self._remove(min(idle, key=lambda each: each.used_at))
            else:
                wait_s = START_WAIT_S if self._starting else WAIT_S
                try:
                    async with asyncio.timeout(max(0.01, asked_at + wait_s - self._clock())), self._changed:
                        await self._changed.wait()
                except TimeoutError:
                    raise Unavailable("too many queries of sellers are running") from None

    def _find(self, seller_id: str) -> SellerProcess | None:
        """Return an idle process of this seller that is not too old, else one that has no seller yet."""
        usable = [each for each in self._processes if not each.is_busy and each.is_alive]
        own = [
            each
            for each in usable
            if each.seller_id == seller_id and self._clock() - each.assigned_at < MAX_AGE_S
        ]
        return next(iter([*own, *(each for each in usable if each.seller_id is None)]), None)

    async def _add(self) -> None:
        self._starting += 1
        try:
            self._processes.append(await self._start())
        finally:
            self._starting -= 1
            async with self._changed:
                self._changed.notify_all()

    async def _remove(self, process: SellerProcess) -> None:
        if process in self._processes:
            self._processes.remove(process)
        process.kill()
        await process.wait()

    def _warm(self) -> None:
        """Start a process without a seller, if there is room and none is there."""
        is_full = len(self._processes) + self._starting >= MAX_PROCESSES
        if not is_full and not self._starting and all(each.seller_id for each in self._processes):
            self._in_background(self._add())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        def finished(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not task.cancelled() and (error := task.exception()):
                log.warning("a process for queries of sellers did not start", error=str(error))

        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(finished)

    async def _sweep(self) -> None:
        """Kill idle processes that have served their seller for too long, or have ended."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            for process in [*self._processes]:
                is_old = process.seller_id and self._clock() - process.assigned_at >= MAX_AGE_S
                if not process.is_busy and (is_old or not process.is_alive):
                    await self._remove(process)
