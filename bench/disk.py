"""What the disk itself takes: each commit waits at least as long."""

import os
import threading
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

from bench.recommendations import Quantiles

BLOCK = bytes(8 * 1024)
"""A page of PostgreSQL's log."""

BLOCKS = 128

EVERY_S = 0.2
"""Between one flush and the next; the platform makes a hundred a second."""


class Disk:
    """Flushes a block to a folder's disk in a thread of its own for as long as the `with` block runs.

    The thread is in real time if the one that begins it is, so its times are the disk's and the kernel's.
    """

    def __init__(self, folder: Path, every_s: float = EVERY_S) -> None:
        self._file = TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 closed when the block ends
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._flush_on, name="disk")
        self._seconds: list[float] = []
        self._told = 0

    def __enter__(self) -> Self:
        self._file.write(BLOCK * BLOCKS)  # from then on no flush has to make the file longer
        os.fsync(self._file.fileno())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._file.close()

    def took(self) -> Quantiles | None:
        """How long flushes took by now; None before the first."""
        return Quantiles.of(self._seconds.copy()) if self._seconds else None

    def slowest_s(self) -> float:
        """The longest flush that has ended since this was asked last; 0 where there was none."""
        untold = self._seconds[self._told :]
        self._told += len(untold)
        return max(untold, default=0.0)

    def _flush_on(self) -> None:
        while not self._ended.wait(self._every_s):
            os.pwrite(self._file.fileno(), BLOCK, len(self._seconds) % BLOCKS * len(BLOCK))
            begun_s = time.perf_counter()
            os.fdatasync(self._file.fileno())
            self._seconds.append(time.perf_counter() - begun_s)
