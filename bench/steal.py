"""What the host of a virtual machine takes of its cores: time in which nothing could run, however urgent."""

from dataclasses import dataclass

import psutil

LITTLE = 0.01
"""A span in which the host takes no more of the cores is one in which it left them alone."""


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
class Steal:
    """The share of the cores that the host took, and in how many of the spans it left them alone."""

    share: float
    spans: int
    left_alone: int

    @classmethod
    def of(cls, stolen: list[float]) -> "Steal":
        """That of spans in a row, as long as each other, in which these shares were taken."""
        spans = len(stolen)
        return cls(round(sum(stolen) / max(1, spans), 5), spans, len(left_alone(stolen)))


def left_alone(stolen: list[float]) -> set[int]:
    """Which of the spans in a row with these shares were not taken from, and had none beside them that was.

    Those beside it count, for what waited in the one before is done in this one, and its answers may come in
    the next.
    """
    quiet = [share <= LITTLE for share in stolen]
    return {at for at in range(len(quiet)) if all(quiet[max(0, at - 1) : at + 2])}
