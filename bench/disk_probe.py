"""Measures how long the disk takes to flush a page, which every commit waits for."""

import os
import threading
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

from bench.quantiles import Quantiles

BLOCK = bytes(8 * 1024)
"""As large as a page of PostgreSQL's write-ahead log."""

BLOCKS = 128

INTERVAL_S = 0.2
"""Seconds between two flushes of the probe; the platform itself makes about a hundred a second."""


class DiskProbe:
    """Flushes a block to a folder's disk every `interval_s`, in its own thread, within a `with` block."""

    def __init__(self, folder: Path, interval_s: float = INTERVAL_S) -> None:
        self._file = TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 closed when the block ends
        self._interval_s = interval_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._flush_repeatedly, name="disk")
        self._seconds: list[float] = []
        self._reported = 0

    def __enter__(self) -> Self:
        self._file.write(BLOCK * BLOCKS)  # no flush has to grow the file afterwards
        os.fsync(self._file.fileno())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._file.close()

    def quantiles(self) -> Quantiles | None:
        """Return the durations of the flushes so far, or None before the first."""
        return Quantiles.of(self._seconds.copy()) if self._seconds else None

    def slowest_since_last_call_s(self) -> float:
        """Return the longest flush since the previous call, in seconds; 0 if there was none."""
        unreported = self._seconds[self._reported :]
        self._reported += len(unreported)
        return max(unreported, default=0.0)

    def _flush_repeatedly(self) -> None:
        while not self._ended.wait(self._interval_s):
            os.pwrite(self._file.fileno(), BLOCK, len(self._seconds) % BLOCKS * len(BLOCK))
            begun_s = time.perf_counter()
            os.fdatasync(self._file.fileno())
            self._seconds.append(time.perf_counter() - begun_s)
