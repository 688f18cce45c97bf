"""Reads what the demo's screen shows.

The figures of the marketplace come from the API, the memory from the processes, and the traffic from
`<home>/simulator/status.json`, which the simulator writes once a second.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, Generic, TypeVar

import httpx

from common.clock import Clock
from common.errors import PartUnavailable, SoukError
from common.principal_token import PlatformToken
from common.process_records import ProcessRecord, process_tree, read_process_records, resident_bytes
from common.settings import Settings
from local.supervision.supervisor import NAME

Result = TypeVar("Result")


class Poller(Generic[Result]):
    """Calls `poll` every `interval_s` seconds and keeps the newest result."""

    def __init__(self, poll: Callable[[], Result], interval_s: float) -> None:
        self.value: Result | None = None
        """The newest result; None before the first."""
        self.problem = ""
        """The error of the newest call; empty if it succeeded."""
        self._poll, self._interval_s, self._closed = poll, interval_s, Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop polling. Waits for a call that is running."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self.value, self.problem = self._poll(), ""
            except SoukError as error:
                self.problem = str(error)
            self._closed.wait(self._interval_s)


@dataclass(frozen=True)
class ProcessMemory:
    """The memory of one part's process and its children."""

    name: str
    alive: bool
    restarts: int
    memory_bytes: int
    grown_bytes: int
    """Restarts and growth are counted from the first measurement."""


class MemoryMonitor:
    """Measures the processes that have a record in the directory `run`."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._first: dict[str, tuple[int, int]] = {}

    def now(self) -> list[ProcessMemory]:
        """Return all processes that were started for this copy, the largest first."""
        return sorted(
            map(self._measure, read_process_records(self._run)),
            key=lambda process: (-process.memory_bytes, process.name),
        )

    def _measure(self, record: ProcessRecord) -> ProcessMemory:
        # All parts are children of the supervisor: count only the supervisor's own process.
        pids = [record.pid] if record.part == NAME else process_tree(record.pid)
        used = resident_bytes(pids) if record.alive else 0
        starts, first = self._first.get(record.part, (record.starts, used))
        if record.starts < starts:  # `up` resets the counter
            starts, first = record.starts, used
        self._first[record.part] = starts, first
        return ProcessMemory(record.part, record.alive, record.starts - starts, used, used - first)


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


TIMEOUT_S = 3.0

UNKNOWN_SHOPPER = "nobody"
"""The recommendations for an unknown shopper are as fresh as those for other shoppers."""


@dataclass(frozen=True)
class DayFigures:
    """The marketplace's figures since midnight in the shop's time zone."""

    orders: int
    net_sales_minor: int
    cancelled: int
    sellers: int
    """Sellers with at least one sale."""
    currency: str
    behind: timedelta | None
    """Age of `as_of`: the figures contain all events up to then. None before the first event."""
    views_behind: timedelta | None
    """Age of the newest view in the recommendations. None if there is none."""


class FiguresClient:
    """Requests the day's figures over one persistent connection."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._zone, self._clock = settings.timezone, clock
        self._http = httpx.Client(
            base_url=settings.serving,
            timeout=TIMEOUT_S,
            trust_env=False,
            auth=PlatformToken(settings, "demo"),
        )

    def today(self) -> DayFigures:
        """Return the current figures.

        Raises:
            PartUnavailable: the API gives no valid answer.
        """
        today = self._clock().astimezone(self._zone).date().isoformat()
        # With both bounds, the API does not look up the newest sale first.
        sales = self._get("/v1/marketplace/sales", {"from": today, "until": today, "grain": "day"})
        recommendations = self._get(f"/v1/recommendations/{UNKNOWN_SHOPPER}", {"n": "1"})
        totals = sales["totals"]
        return DayFigures(
            orders=totals["orders"],
            net_sales_minor=totals["net_sales_minor"],
            cancelled=totals["cancelled"]["orders"],
            sellers=totals["active_sellers"],
            currency=sales["currency"],
            behind=self._age(sales["as_of"]),
            views_behind=self._age(recommendations["as_of"]),
        )

    def _get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._http.get(path, params=parameters).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise PartUnavailable(f"the API does not answer: {error}") from error
        return answer

    def _age(self, as_of: str | None) -> timedelta | None:
        return self._clock() - datetime.fromisoformat(as_of) if as_of else None

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
