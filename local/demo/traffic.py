"""What the simulator says it does: `<home>/simulator/status.json`, replaced once a second."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Latency:
    """How long an endpoint took, as its caller saw it."""

    p50_ms: float
    p99_ms: float
    count: int = 0


@dataclass(frozen=True)
class Traffic:
    """The simulator's counters since it was started."""

    phase: str = "starting"
    done: int = 0
    total: int = 0
    """Events of the back-fill that are in Kafka, and all of them; a total of 0 is not known yet."""
    event_time: str = ""
    sent: int = 0
    rate: float = 0.0
    """Live events, and how many of them a second."""
    tempo: float = 1.0
    slowed_because: str = ""
    """The part of the asked rate at which shoppers live, and why it is not all of it."""
    orders: Mapping[str, int] = field(default_factory=dict)
    """`placed`, `confirmed`, `cancelled` → orders of the live shoppers."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """Kind → how often."""
    endpoints: Mapping[str, Latency] = field(default_factory=dict)


def path_of(home: Path) -> Path:
    """Where the simulator writes it."""
    return home / "simulator" / "status.json"


def read(home: Path) -> Traffic:
    """The newest counters; those of a simulator that has not counted yet when there are none."""
    try:
        said: dict[str, Any] = json.loads(path_of(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Traffic()
    known = {name: said[name] for name in Traffic.__dataclass_fields__ if name in said}
    endpoints = {name: Latency(**latency) for name, latency in known.get("endpoints", {}).items()}
    return Traffic(**known | {"endpoints": endpoints})
