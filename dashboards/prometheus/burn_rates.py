"""Generates the recording rules of the objectives, and their alerts on burn rates over several windows.

A burn rate of 1 uses up the error budget exactly at the end of the period. An alert compares a long window,
which shows that much was lost, and a short one, which shows that it still goes on, so that the alert ends
soon after the problem. Source: The Site Reliability Workbook (Google, 2018), chapter 5, "Alerting on SLOs",
approach 6 with the windows and factors of its table 5-8.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.prometheus.objectives import (
    OBJECTIVES,
    PERIOD_DAYS,
    Objective,
    RequestObjective,
    TimeObjective,
)

WINDOWS: Mapping[str, int] = {"5m": 300, "30m": 1_800, "1h": 3_600, "6h": 21_600, "3d": 259_200}
"""Window → its seconds."""

FROM_RATES = ("6h", "3d")
"""Windows whose ratios are computed from the recorded rates of five minutes: reading every scrape of days
would take seconds."""

STEPS: Mapping[str, int] = {"5m": 15, "30m": 60, "1h": 60, "6h": 60, "3d": 300}
"""Window → seconds between two moments that are looked at, for objectives of time."""

Rule = dict[str, Any]


@dataclass(frozen=True)
class BurnRateAlert:
    """An alert of each objective: both windows must burn the budget `factor` times as fast as allowed."""

    factor: float
    long: str
    short: str
    severity: str


ALERTS = (
    BurnRateAlert(14.4, "1h", "5m", "critical"),
    BurnRateAlert(6, "6h", "30m", "critical"),
    BurnRateAlert(1, "3d", "6h", "warning"),
)


def groups(objectives: Iterable[Objective] = OBJECTIVES) -> list[dict[str, Any]]:
    """Return Prometheus' rule groups: for each objective one of quick rules and one of slow rules."""
    made: list[dict[str, Any]] = []
    for objective in objectives:
        labels = {"slo": objective.name}
        target = {"record": "souk:slo_target", "expr": f"vector({objective.target})", "labels": labels}
        quick = [_ratio(objective, window) for window in WINDOWS if window not in FROM_RATES]
        alerts = [_alert(objective, alert) for alert in ALERTS]
        slow = [_ratio(objective, window) for window in FROM_RATES]
        made += (
            {"name": f"slo_{objective.name}", "rules": [target, *_inputs(objective), *quick, *alerts]},
            {"name": f"slo_{objective.name}_slow", "interval": "1m", "rules": slow},
        )
    return made


def ratio_name(window: str) -> str:
    """Return the name of the series with the share of bad requests, or of bad time, in a window."""
    return f"souk:slo_error_ratio:{window}"


def _inputs(objective: Objective) -> list[Rule]:
    """Return the rules for what ratios over time are computed from."""
    labels = {"slo": objective.name}
    if isinstance(objective, TimeObjective):
        return [{"record": "souk:slo_bad:now", "expr": objective.bad, "labels": labels}]
    assert isinstance(objective, RequestObjective)
    total = _sum(objective, objective.total, "rate", "5m")
    good = _sum(objective, objective.good, "rate", "5m")
    return [
        {"record": "souk:slo_total:rate5m", "expr": total, "labels": labels},
        {"record": "souk:slo_bad:rate5m", "expr": f"{total} - ({good} or 0 * {total})", "labels": labels},
    ]


def _ratio(objective: Objective, window: str) -> Rule:
    labels, selected = {"slo": objective.name}, f'{{slo="{objective.name}"}}'
    if isinstance(objective, TimeObjective):
        # The share of the whole window, not of its recorded part: in its first minutes, a new Prometheus
        # would take figures that were late for a moment for an hour of late figures.
        moments = WINDOWS[window] // STEPS[window]
        bad_moments = f"sum_over_time(souk:slo_bad:now{selected}[{window}:{STEPS[window]}s])"
        expression = f"clamp_max({bad_moments} / {moments}, 1)"
    else:
        assert isinstance(objective, RequestObjective)
        expression = _ratio_of_requests(objective, window, selected)
    return {"record": ratio_name(window), "expr": expression, "labels": labels}


def _ratio_of_requests(objective: RequestObjective, window: str, selected: str) -> str:
    if window in FROM_RATES:
        bad, total = (
            f"avg_over_time(souk:slo_{kind}:rate5m{selected}[{window}]) * {WINDOWS[window]}"
            for kind in ("bad", "total")
        )
        return f"({bad}) / ({total} >= {objective.min_requests})"
    total = _sum(objective, objective.total, "increase", window)
    good = _sum(objective, objective.good, "increase", window)
    return f"1 - ({good} or 0 * {total}) / ({total} >= {objective.min_requests})"


def _sum(objective: RequestObjective, selector: str, function: str, window: str) -> str:
    return f"sum by ({', '.join(objective.by)}) ({function}({selector}[{window}]))"


def _alert(objective: Objective, alert: BurnRateAlert) -> Rule:
    limit = f"{alert.factor * objective.budget:.6g}"
    burnt = [
        f'{ratio_name(window)}{{slo="{objective.name}"}} > {limit}' for window in (alert.long, alert.short)
    ]
    days = f"{PERIOD_DAYS / alert.factor:.2g}"
    return {
        "alert": objective.alert,
        "expr": " and ".join(burnt),
        "labels": {"severity": alert.severity, "window": alert.long},
        "annotations": {
            "summary": f"{objective.name}: {{{{ $value | humanizePercentage }}}} bad in {alert.long}: "
            f"the budget of {PERIOD_DAYS} days, {objective.budget:.2%}, lasts {days} days at this rate",
            "action": f"the objective: {objective.target:.1%} {objective.meaning}",
            "runbook": f"docs/runbooks/{objective.alert}.md",
        },
    }
