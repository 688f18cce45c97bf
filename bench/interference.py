"""Measures the delays that a virtual machine's host causes: stolen CPU time, and slow flushes of the disk."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

import psutil

from bench.durations import Quantiles

STEAL_LIMIT = 0.01
"""An interval is calm if the host took at most this share of the cores."""

FLUSH_LIMIT_S = 0.02
"""An interval is calm if no flush took longer."""

BLOCK = bytes(8 * 1024)
"""As large as a page of PostgreSQL's write-ahead log."""

BLOCKS = 128

INTERVAL_S = 0.2
"""Seconds between two flushes of the probe; the platform itself makes about a hundred a second."""


@dataclass(frozen=True)
class CpuTime:
    """Seconds of all cores since the machine started, and those of them that the host took."""

    all_s: float
    stolen_s: float

    @classmethod
    def now(cls) -> "CpuTime":
        """Return the counters now; `stolen_s` is 0 where the system reports no steal (macOS)."""
        times = psutil.cpu_times()
        stolen_s = getattr(times, "steal", 0.0)
        # `user` and `nice` already include the time of this machine's own guests.
        guests_s = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        return cls(sum(times) - guests_s, stolen_s)

    def stolen_since(self, before: "CpuTime") -> float:
        """Return the share of the cores, 0 to 1, that the host took since `before`."""
        all_s = self.all_s - before.all_s
        return (self.stolen_s - before.stolen_s) / all_s if all_s > 0 else 0.0


@dataclass(frozen=True)
class InterferenceSample:
    """One interval: the share of the cores that the host took, 0 to 1, and the longest flush."""

    stolen: float
    flush_s: float

    @property
    def is_calm(self) -> bool:
        """Whether both the steal and the longest flush are within their limits."""
        return self.stolen <= STEAL_LIMIT and self.flush_s <= FLUSH_LIMIT_S


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


class InterferenceMonitor:
    """Samples cores and disk; each sample covers the time since the previous one."""

    def __init__(self, disk: DiskProbe) -> None:
        self._disk = disk
        self._before = CpuTime.now()

    def sample(self) -> InterferenceSample:
        """Return the sample of the interval that ends now."""
        now = CpuTime.now()
        sample = InterferenceSample(now.stolen_since(self._before), self._disk.slowest_since_last_call_s())
        self._before = now
        return sample


@dataclass(frozen=True)
class InterferenceSummary:
    """What the host took from a series of `intervals` intervals.

    `stolen` is the share of the cores that the host took. `with_steal` counts intervals above `STEAL_LIMIT`,
    `with_slow_flush` those with a flush above `FLUSH_LIMIT_S`, `calm` those that `calm_intervals` returns.
    """

    stolen: float
    intervals: int
    with_steal: int
    with_slow_flush: int
    calm: int

    @classmethod
    def of(cls, samples: list[InterferenceSample]) -> "InterferenceSummary":
        """Summarise consecutive samples of equal length."""
        count = len(samples)
        return cls(
            stolen=round(sum(sample.stolen for sample in samples) / max(1, count), 5),
            intervals=count,
            with_steal=sum(sample.stolen > STEAL_LIMIT for sample in samples),
            with_slow_flush=sum(sample.flush_s > FLUSH_LIMIT_S for sample in samples),
            calm=len(calm_intervals(samples)),
        )


def calm_intervals(samples: list[InterferenceSample]) -> set[int]:
    """Return the indexes of the calm intervals whose neighbours are calm, too.

    Neighbours count because work that was delayed in one interval is done in the next, and because the
    answer to a request of this interval may arrive in the next.
    """
    calm = [sample.is_calm for sample in samples]
    return {at for at in range(len(calm)) if all(calm[max(0, at - 1) : at + 2])}
