"""Reads the simulator's counters from `<home>/simulator/status.json`, which it writes once a second."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class EndpointLatency:
    """Response times of an endpoint, measured by the client."""

    p50_ms: float
    p99_ms: float
    count: int = 0


@dataclass(frozen=True)
class SimulatorStatus:
    """The simulator's counters since it was started."""

    phase: str = "starting"
    done: int = 0
    total: int = 0
    """Events of the back-fill that are in Kafka, and their total (0 while it is unknown)."""
    event_time: str = ""
    sent: int = 0
    rate: float = 0.0
    """Live events so far, and per second."""
    pace: float = 1.0
    slowed_because: str = ""
    """The share of the requested rate at which shoppers act (1: all of it), and why it is reduced."""
    orders: Mapping[str, int] = field(default_factory=dict)
    """Status, such as `placed` → number of live shoppers' orders."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """Kind of error → number."""
    endpoints: Mapping[str, EndpointLatency] = field(default_factory=dict)


def status_path(home: Path) -> Path:
    """Return the path of the file."""
    return home / "simulator" / "status.json"


def read_status(home: Path) -> SimulatorStatus:
    """Return the newest counters. Without a valid file, returns those of a simulator that is starting."""
    try:
        values: dict[str, Any] = json.loads(status_path(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return SimulatorStatus()
    known = {name: values[name] for name in SimulatorStatus.__dataclass_fields__ if name in values}
    endpoints = {name: EndpointLatency(**latency) for name, latency in known.get("endpoints", {}).items()}
    return SimulatorStatus(**known | {"endpoints": endpoints})
