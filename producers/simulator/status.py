"""What the simulator does right now: `<home>/simulator/status.json`, replaced about once a second."""

import json
from array import array
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from prometheus_client import Histogram

from common.errors import SoukError
from common.metrics import SIMULATOR_ERRORS, SIMULATOR_EVENTS, SIMULATOR_REQUEST_SECONDS
from producers.simulator.kept import directory_of

RATE_OVER_S = 10.0
LATENCIES = 5_000
"""So many of the newest answers make an endpoint's percentiles."""


@dataclass
class Status:
    """Counters since the simulator was started; `phase` is starting, back-filling, live, stopping or stopped.

    `done` of `total` events of the history are in Kafka up to `event_time`; `events` are the live ones.
    `tempo` is the part of the asked rate at which shoppers live, `slowed_because` why it is not 1
    (live/tempo.py).
    """

    phase: str = "starting"
    done: int = 0
    total: int = 0
    event_time: str = ""
    tempo: float = 1.0
    slowed_because: str = ""
    events: Counter[str] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(
        default_factory=lambda: Counter({"placed": 0, "confirmed": 0, "cancelled": 0})
    )
    cancelled_because: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    now_s: Callable[[], float] = monotonic
    _answers: dict[str, "_Answers"] = field(default_factory=dict)
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def sent(self, event: str, way: str, count: int = 1) -> None:
        """Events that were taken; `way` is kafka, intake or orders."""
        self.events[event] += count
        SIMULATOR_EVENTS.labels(event, way).inc(count)

    def answered(self, endpoint: str, seconds: float) -> None:
        """An endpoint answered as it should."""
        if endpoint not in self._answers:
            self._answers[endpoint] = _Answers(SIMULATOR_REQUEST_SECONDS.labels(endpoint))
        self._answers[endpoint].add(seconds)

    def failed(self, endpoint: str, kind: str, count: int = 1) -> None:
        """Something did not work; the simulator goes on."""
        self.errors[f"{endpoint}: {kind}"] += count
        SIMULATOR_ERRORS.labels(endpoint, kind).inc(count)

    def snapshot(self) -> dict[str, Any]:
        """All of it, as it is written; the rate is that of the last ten seconds."""
        sent = sum(self.events.values())
        return {
            "phase": self.phase, "done": self.done, "total": self.total, "event_time": self.event_time,
            "sent": sent, "rate": round(self._rate(sent), 1), "tempo": round(self.tempo, 2),
            "slowed_because": self.slowed_because, "events": dict(self.events),
            "visits": dict(self.visits), "orders": dict(self.orders),
            "cancelled_because": dict(self.cancelled_because), "errors": dict(self.errors),
            "endpoints": {name: self._answers[name].snapshot() for name in sorted(self._answers)},
        }  # fmt: skip

    def _rate(self, sent: int) -> float:
        now = self.now_s()
        self._marks.append((now, sent))
        while self._marks[0][0] < now - RATE_OVER_S and len(self._marks) > 2:
            self._marks.popleft()
        since, before = self._marks[0]
        return (sent - before) / (now - since) if now > since else 0.0


class _Answers:
    """The good answers of one endpoint: how many, and the newest latencies in a ring."""

    def __init__(self, seconds: Histogram) -> None:
        self._seconds = seconds
        self._latencies_ms = array("d")
        self._count = 0

    def add(self, seconds: float) -> None:
        if self._count < LATENCIES:
            self._latencies_ms.append(seconds * 1000)
        else:
            self._latencies_ms[self._count % LATENCIES] = seconds * 1000
        self._count += 1
        self._seconds.observe(seconds)

    def snapshot(self) -> dict[str, float]:
        p50, p99 = np.percentile(np.array(self._latencies_ms), (50, 99)).tolist()
        return {"p50_ms": round(p50, 2), "p99_ms": round(p99, 2), "count": self._count}


def write(home: Path, status: Status) -> None:
    """Replace the file.

    Raises:
        SoukError: it can't be written.
    """
    path = directory_of(home) / "status.json"
    beside = path.with_suffix(".json.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(status.snapshot()), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise SoukError(f"{path} can't be written ({error.strerror})") from error
