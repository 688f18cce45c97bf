"""The objectives of the service (SLOs): what must be good, how often, and who is told when it is not.

From these values follow the recording rules of each objective, and its alerts on burn rates over several
windows. A burn rate of 1 uses up the error budget exactly at the end of the period. An alert compares a long
window, which shows that much was lost, and a short one, which shows that it still goes on, so that the alert
ends soon after the problem. Source: The Site Reliability Workbook (Google, 2018), chapter 5, "Alerting on
SLOs", approach 6 with the windows and factors of its table 5-8.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.request_log import PROBES

PERIOD_DAYS = 30
"""The period of every objective. Its error budget is the share of failures that this period may have."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What is common to both kinds of objectives.

    `name` is the label `slo` of its series, `alert` the name of its alerts, and `target` the share that must
    be good over `PERIOD_DAYS`. `meaning` completes the sentence "… of 100 requests", or "… % of the time".
    """

    name: str
    alert: str
    target: float
    meaning: str

    @property
    def budget(self) -> float:
        """The share that may be bad over the period."""
        return round(1 - self.target, 6)


@dataclass(frozen=True, kw_only=True)
class RequestObjective(Objective):
    """The share of requests that are good: `good` and `total` select counters.

    There is a ratio for each value of the labels `by`. It exists only while at least `min_requests` were
    counted in its window: one failure at night is no outage.

    The processes that answer count the requests. While one is down, its requests are not counted, so they use
    up no budget. Only a proxy or a probe in front of it could count them: `up` is also 0 while the API
    answers people, but its metrics wait for a part that hangs.
    """

    good: str
    total: str
    by: tuple[str, ...] = ("job",)
    min_requests: int = 20


@dataclass(frozen=True, kw_only=True)
class TimeObjective(Objective):
    """The share of time that is good: `bad` is an expression that is 1 in bad moments, and 0 in good ones."""

    bad: str


_REQUESTS = f'souk_http_requests_total{{job=~"serving|commerce", route!~"{"|".join(PROBES)}"'
_SECONDS = 'souk_http_request_seconds{suffix}{{job=~"serving|commerce", route=~"/v1/.*"'
_CHECKOUTS = 'souk_http_requests_total{job="serving", route="/v1/orders", method="POST"'
_FIGURES_LATE = "(time() - max(souk_figures_as_of_seconds) > bool 30)"
_EVENTS_WAIT = '(sum(min_over_time(souk_messages_behind{job_name="facts"}[30s])) > bool 0)'
_DIFFERS = "(sum(souk_audit_differences) + sum(souk_audit_unread) > bool 0 or vector(0))"
_AUDIT_OLD = "(time() - max(souk_whole_audit_at_seconds) > bool 129600)"

OBJECTIVES: tuple[Objective, ...] = (
    RequestObjective(
        name="availability",
        alert="AvailabilityBudget",
        target=0.999,
        meaning="requests that reach the API, the pages and the commerce services get no error of the server",
        good=f'{_REQUESTS}, status!~"5.."}}',
        total=f"{_REQUESTS}}}",
    ),
    RequestObjective(
        name="checkout",
        alert="CheckoutBudget",
        target=0.999,
        meaning="checkouts (`POST /v1/orders`) that reach the API get no error of the server",
        good=f'{_CHECKOUTS}, status!~"5.."}}',
        total=f"{_CHECKOUTS}}}",
        min_requests=10,
    ),
    RequestObjective(
        name="latency",
        alert="LatencyBudget",
        target=0.99,
        meaning="requests to `/v1/` are answered within 0.2 s",
        good=_SECONDS.format(suffix="_bucket") + ', le="0.2"}',
        total=_SECONDS.format(suffix="_count") + "}",
    ),
    TimeObjective(
        name="freshness",
        alert="FreshnessBudget",
        target=0.99,
        meaning="figures are complete up to 30 s ago, or no event waits to be counted",
        bad=f"{_FIGURES_LATE} * on() {_EVENTS_WAIT}",
    ),
    TimeObjective(
        name="audit",
        alert="AuditBudget",
        target=0.99,
        meaning="the newest whole audit is less than 36 hours old, and no difference is known",
        bad=f"clamp_max({_DIFFERS} + on() {_AUDIT_OLD}, 1)",
    ),
)
"""Every objective. A new one needs a page `docs/runbooks/<alert>.md`."""


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
