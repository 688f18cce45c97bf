"""What a virtual machine's host holds back: cores on which nothing could run, a disk that stands still."""

from dataclasses import dataclass

import psutil

from bench.disk import Disk

LITTLE = 0.01
"""A span in which the host takes no more of the cores is one in which it left them alone."""

SOON_S = 0.02
"""A span in which no flush took longer is one in which the disk held up nobody."""


@dataclass(frozen=True)
class CpuTime:
    """Seconds of all cores since the machine started, and those of them that the host took."""

    all_s: float
    stolen_s: float

    @classmethod
    def now(cls) -> "CpuTime":
        """By now; nothing is stolen where the system knows no steal (macOS)."""
        times = psutil.cpu_times()
        stolen_s = getattr(times, "steal", 0.0)
        # What guests of this machine use is counted as `user` and `nice`, too.
        guests_s = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        return cls(sum(times) - guests_s, stolen_s)

    def stolen_since(self, before: "CpuTime") -> float:
        """The share of the cores, 0 to 1, that the host took between `before` and this."""
        all_s = self.all_s - before.all_s
        return (self.stolen_s - before.stolen_s) / all_s if all_s > 0 else 0.0


@dataclass(frozen=True)
class Span:
    """What was held back in one: the share of the cores, 0 to 1; for how long the disk kept a flush."""

    stolen: float
    flush_s: float

    @property
    def is_calm(self) -> bool:
        """Whether nobody waited for the host's other guests, nor for the disk, whoever kept that busy."""
        return self.stolen <= LITTLE and self.flush_s <= SOON_S


class Watch:
    """Looks at cores and disk, each time at what happened since it looked last."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._before = CpuTime.now()

    def look(self) -> Span:
        """The span that ends now."""
        now = CpuTime.now()
        span = Span(now.stolen_since(self._before), self._disk.slowest_s())
        self._before = now
        return span


@dataclass(frozen=True)
class Host:
    """The share of the cores that the host took; how many spans there were, in how many of them it took more
    than a `LITTLE`, in how many the disk kept a flush for longer than `SOON_S`; how many were `calm`."""

    stolen: float
    spans: int
    taken_from: int
    held_up: int
    calm: int

    @classmethod
    def of(cls, spans: list[Span]) -> "Host":
        """That of spans in a row, as long as each other."""
        count = len(spans)
        return cls(
            stolen=round(sum(span.stolen for span in spans) / max(1, count), 5),
            spans=count,
            taken_from=sum(span.stolen > LITTLE for span in spans),
            held_up=sum(span.flush_s > SOON_S for span in spans),
            calm=len(calm(spans)),
        )


def calm(spans: list[Span]) -> set[int]:
    """Which of the spans in a row are, and have none beside them that is not.

    Those beside it count, for what waited in the one before is done in this one, and its answers may come in
    the next.
    """
    quiet = [span.is_calm for span in spans]
    return {at for at in range(len(quiet)) if all(quiet[max(0, at - 1) : at + 2])}
