"""Injects faults one after another, and measures how soon Prometheus raises and clears the alert of each."""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from common.settings import LOOPBACK, ROOT
from tests.e2e.conftest import Platform
from tests.e2e.fault_harness.faults import Fault

POLL_S = 1.0
RAISED_WITHIN_S = 60.0
"""How soon each fault must raise its alert."""

WAIT_S, CLEARED_WITHIN_S = 240.0, 600.0
"""How long the harness waits until an alert fires, to tell a late one from none, and until it has ended."""

QUIET_FOR_S = 10.0
DOWN = frozenset({"PartDown", "ProcessDown", "JobDown"})
PAGE = ROOT / "docs" / "runbooks" / "README.md"
BEGIN, END = "<!-- faults: written by tests/e2e/test_faults.py -->", "<!-- end of faults -->"


@dataclass(frozen=True)
class Measured:
    """What a fault did. Times are in seconds after the injection and after the repair; None: not in time."""

    fault: Fault
    raised_s: float | None
    cleared_s: float | None
    others: frozenset[str]
    """Names of the other alerts that fired meanwhile."""

    load: float
    """The machine's load average of the last minute when the alert fired."""

    before: "Measured | None" = None
    """The first try, if this is the second one."""

    @property
    def is_in_time(self) -> bool:
        """Whether the alert fired as soon as it must, and ended."""
        return self.raised_s is not None and self.raised_s <= RAISED_WITHIN_S and self.cleared_s is not None


class Alerts:
    """The alerts that fire in a Prometheus."""

    def __init__(self, platform: Platform) -> None:
        self._url = f"http://{LOOPBACK}:{platform.settings.port('prometheus')}/api/v1/alerts"

    def firing(self) -> list[Mapping[str, str]]:
        answer = httpx.get(self._url, trust_env=False, timeout=30).raise_for_status().json()
        return [alert["labels"] for alert in answer["data"]["alerts"] if alert["state"] == "firing"]

    def has(self, fault: Fault) -> bool:
        wanted: dict[str, Any] = {"alertname": fault.alert, **fault.labels}
        return any(wanted.items() <= labels.items() for labels in self.firing())

    def has_any(self, names: Set[str]) -> bool:
        return any(labels["alertname"] in names for labels in self.firing())

    def wait(self, fault: Fault, *, fires: bool, within_s: float, since: float) -> float | None:
        """Wait until the fault's alert fires, or until it does not.

        Returns the seconds after `since` (`time.monotonic`); None if it takes longer than `within_s`.
        """
        while (elapsed_s := time.monotonic() - since) < within_s:
            with suppress(httpx.HTTPError):  # a machine that is busy with the fault itself
                if self.has(fault) == fires:
                    return elapsed_s
            time.sleep(POLL_S)
        return None


def measure_all(platform: Platform, faults: Iterable[Fault]) -> list[Measured]:
    """Measure faults one after another, and then those that were late once more: a busy machine may be."""
    measured = []
    for fault in faults:
        measured.append(measure(platform, fault))
        print(_row(measured[-1]), flush=True)
    for number, each in enumerate(measured):
        if not each.is_in_time:
            measured[number] = measure(platform, each.fault, before=each)
            print(_row(measured[number]), flush=True)
    return measured


def measure(platform: Platform, fault: Fault, before: Measured | None = None) -> Measured:
    """Inject a fault, wait for its alert, repair it, and wait until the alert has ended.

    `before` is the first try, if this is the second one.
    """
    alerts = Alerts(platform)
    assert settle(lambda: alerts.has(fault)), f"{fault.alert} fires before the fault: {fault.what}"
    unrelated = {labels["alertname"] for labels in alerts.firing()}
    begun = time.monotonic()
    with fault.inject(platform) as since:
        raised_s = alerts.wait(fault, fires=True, within_s=WAIT_S, since=since or begun)
        others = {labels["alertname"] for labels in alerts.firing()} - {fault.alert} - unrelated
        load = os.getloadavg()[0]
    cleared_s = alerts.wait(fault, fires=False, within_s=CLEARED_WITHIN_S, since=time.monotonic())
    settle(lambda: alerts.has_any(DOWN))  # so that faults do not overlap
    return Measured(fault, raised_s, cleared_s, frozenset(others), load, before)


def settle(fires: Callable[[], bool]) -> bool:
    """Wait until `fires()` has been false for `QUIET_FOR_S`; return whether that was in time."""
    deadline, quiet_since = time.monotonic() + CLEARED_WITHIN_S, time.monotonic()
    while time.monotonic() < min(deadline, quiet_since + QUIET_FOR_S):
        with suppress(httpx.HTTPError):
            if fires():
                quiet_since = time.monotonic()
        time.sleep(POLL_S)
    return time.monotonic() >= quiet_since + QUIET_FOR_S


def table(measured: Sequence[Measured]) -> str:
    """Return the table of the runbooks' page, and what the machine did meanwhile."""
    rows = [
        "| fault | alert | fires after | ends after the repair | also fires |",
        "|---|---|---|---|---|",
    ]
    rows += map(_row, measured)
    loads = [each.load for each in measured]
    machine = f"{os.cpu_count()} cores, load average {min(loads):.0f} to {max(loads):.0f}"
    note = f"{len(measured)} faults in one run; when their alerts fired, the machine had {machine}."
    return "\n".join([*rows, "", note])


def _row(measured: Measured) -> str:
    fault, first = measured.fault, measured.before
    labels = ", ".join(f"{name} {value}" for name, value in fault.labels.items())
    alert = f"[{fault.alert}]({fault.alert}.md)" + (f" ({labels})" if labels else "")
    tried = f" ({_seconds(first.raised_s)} in the first try)" if first else ""
    times = f"{_seconds(measured.raised_s)}{tried} | {_seconds(measured.cleared_s)}"
    others = ", ".join(sorted(measured.others)) or "–"
    return f"| {fault.what} | {alert} | {times} | {others} |"


def write(measured: Sequence[Measured], page: Path = PAGE) -> None:
    """Replace the table in the page."""
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n\n{table(measured)}\n\n{END}{tail}", encoding="utf-8")


def _seconds(value: float | None) -> str:
    return "not in time" if value is None else f"{value:.0f} s"
