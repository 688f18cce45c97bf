"""The simulator's counters in `<home>/simulator/status.json`, replaced about once a second."""

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
from common.file_replacement import replace_file
from common.metrics import SIMULATOR_ERRORS, SIMULATOR_EVENTS, SIMULATOR_REQUEST_SECONDS
from producers.simulator.saved_world import directory_of

RATE_WINDOW_S = 10.0
LATENCY_SAMPLES = 5_000
"""Number of the newest responses from which an endpoint's percentiles are computed."""


@dataclass
class SimulatorStatus:
    """Counters since the start.

    `phase` is starting, back-filling, back-filled, live, stopping or stopped. `done` of `total` events of the
    history are in Kafka, up to `event_time`. `events` counts live events. `pace` is the share of the
    requested rate at which visits run. `slowed_because` is the reason why it is below 1
    (live/load_controller.py).
    """

    phase: str = "starting"
    done: int = 0
    total: int = 0
    event_time: str = ""
    pace: float = 1.0
    slowed_because: str = ""
    events: Counter[str] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(
        default_factory=lambda: Counter({"placed": 0, "confirmed": 0, "cancelled": 0})
    )
    cancelled_because: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    now_s: Callable[[], float] = monotonic
    _endpoints: dict[str, "_EndpointLatencies"] = field(default_factory=dict)
    _rate_samples: deque[tuple[float, int]] = field(default_factory=deque)

    def record_sent(self, event: str, via: str, count: int = 1) -> None:
        """Count accepted events. `via` is kafka, intake or orders."""
        self.events[event] += count
        SIMULATOR_EVENTS.labels(event, via).inc(count)

    def record_response(self, endpoint: str, seconds: float) -> None:
        """Count a successful response of an endpoint."""
        if endpoint not in self._endpoints:
            self._endpoints[endpoint] = _EndpointLatencies(SIMULATOR_REQUEST_SECONDS.labels(endpoint))
        self._endpoints[endpoint].add(seconds)

    def record_error(self, endpoint: str, kind: str, count: int = 1) -> None:
        """Count an error that does not stop the simulator."""
        self.errors[f"{endpoint}: {kind}"] += count
        SIMULATOR_ERRORS.labels(endpoint, kind).inc(count)

    def snapshot(self) -> dict[str, Any]:
        """Return the content of the status file; the rate is that of the last ten seconds."""
        sent = sum(self.events.values())
        return {
            "phase": self.phase, "done": self.done, "total": self.total, "event_time": self.event_time,
            "sent": sent, "rate": round(self._rate(sent), 1), "pace": round(self.pace, 2),
            "slowed_because": self.slowed_because, "events": dict(self.events),
            "visits": dict(self.visits), "orders": dict(self.orders),
            "cancelled_because": dict(self.cancelled_because), "errors": dict(self.errors),
            "endpoints": {name: self._endpoints[name].snapshot() for name in sorted(self._endpoints)},
        }  # fmt: skip

    def _rate(self, sent: int) -> float:
        now = self.now_s()
        self._rate_samples.append((now, sent))
        while self._rate_samples[0][0] < now - RATE_WINDOW_S and len(self._rate_samples) > 2:
            self._rate_samples.popleft()
        since, before = self._rate_samples[0]
        return (sent - before) / (now - since) if now > since else 0.0


class _EndpointLatencies:
    """Number of successful responses of one endpoint, and a ring buffer of the newest latencies."""

    def __init__(self, seconds: Histogram) -> None:
        self._seconds = seconds
        self._latencies_ms = array("d")
        self._count = 0

    def add(self, seconds: float) -> None:
        if self._count < LATENCY_SAMPLES:
            self._latencies_ms.append(seconds * 1000)
        else:
            self._latencies_ms[self._count % LATENCY_SAMPLES] = seconds * 1000
        self._count += 1
        self._seconds.observe(seconds)

    def snapshot(self) -> dict[str, float]:
        p50, p99 = np.percentile(np.array(self._latencies_ms), (50, 99)).tolist()
        return {"p50_ms": round(p50, 2), "p99_ms": round(p99, 2), "count": self._count}


def write(home: Path, status: SimulatorStatus) -> None:
    """Replace the status file.

    Raises:
        SoukError: the file can't be written.
    """
    path = directory_of(home) / "status.json"
    try:
        replace_file(path, json.dumps(status.snapshot()))
    except OSError as error:
        raise SoukError(f"{path} can't be written ({error.strerror})") from error
