"""The objectives of the service (SLOs): what must be good, how often, and who is told when it is not.

The rules and alerts of each objective are generated from these values (`burn_rates.py`).
"""

from dataclasses import dataclass

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
