"""Makes docs/monitoring.md: what the platform measures, its objectives, and its alerts."""

from collections.abc import Iterable, Mapping

from common import metrics
from dashboards.prometheus.configuration import hand_written_alerts
from dashboards.prometheus.objectives import ALERTS, OBJECTIVES, PERIOD_DAYS

QUESTIONS: Mapping[str, tuple[object, ...]] = {
    "latency and errors by route": (metrics.HTTP_SECONDS, metrics.HTTP_REQUESTS),
    "lag by consumer group and by job": (metrics.MESSAGES_BEHIND,),
    "freshness of figures": (metrics.FIGURES_AS_OF,),
    "outbox: waiting events, age of the oldest, delay": (
        metrics.OUTBOX_WAITING,
        metrics.OUTBOX_AGE_SECONDS,
        metrics.OUTBOX_DELAY_SECONDS,
    ),
    "requests between services: waiting ones, age of the oldest": (
        metrics.REQUESTS_WAITING,
        metrics.REQUESTS_AGE_SECONDS,
    ),
    "dead letters: all, and those that nobody has resolved": (
        metrics.DEAD_LETTERS,
        metrics.UNRESOLVED_DEAD_LETTERS,
    ),
    "hits of the cache": (metrics.CACHE_REQUESTS,),
    "circuit breakers": (metrics.BREAKER_STATE, metrics.BREAKER_OPENED),
    "reservations of stock": (metrics.RESERVATIONS,),
    "throughput of orders": (metrics.ORDERS, metrics.PAYMENTS),
    "checkpoints": (
        metrics.CHECKPOINT_AGE_SECONDS,
        metrics.CHECKPOINT_SECONDS,
        metrics.CHECKPOINTS_FAILED,
    ),
    "back-pressure": (metrics.JOB_BACK_PRESSURE, metrics.JOB_BUSY),
    "batches: rows of an insert are rows / inserts of kind `insert`": (
        metrics.CLICKHOUSE_ROWS,
        metrics.OUTBOX_PUBLISHED,
    ),
    "inserts and queries of ClickHouse": (
        metrics.CLICKHOUSE_SECONDS,
        metrics.QUERY_SECONDS,
        metrics.CLICKHOUSE_RUNNING,
        metrics.CLICKHOUSE_ERRORS,
        metrics.CLICKHOUSE_ENDED_AT,
    ),
    "freshness of recommendations: events and model": (metrics.RECOMMENDATIONS_AS_OF, metrics.TRAINED_AT),
    "share of fallbacks: sources passed over, strategies not offered": (
        metrics.RECOMMENDATION_SOURCES,
        metrics.STRATEGY_FALLBACKS,
        metrics.RECOMMENDATIONS,
    ),
    "click-through rate (CTR): clicks / impressions": (
        metrics.RECOMMENDATION_CLICKS,
        metrics.RECOMMENDATION_IMPRESSIONS,
    ),
    "the last audit": (
        metrics.AUDIT_DIFFERENCES,
        metrics.AUDIT_UNREAD,
        metrics.AUDITED_AT,
        metrics.WHOLE_AUDIT_AT,
        metrics.NIGHTLY_AUDITS,
    ),
}
"""What an operator asks → the metrics that answer it."""

INTRODUCTION = """\
All processes export their metrics at `/metrics` from one registry, `common/metrics.py`. Each label has values
from a list in the code, or names of events, routes, jobs and topics, never an id. So the number of series is
bounded. Only `group` has the name of every consumer group in Kafka, those of other programs included.
`./souk up --with prometheus --with alertmanager` starts both servers if they are on PATH.

Alerts are shown on `/ops` and by Alertmanager. If `SOUK_ALERT_WEBHOOK_URL` is set (for docker-compose.yml, in
`.env`), Alertmanager also posts them to that URL, as its
[JSON](https://prometheus.io/docs/alerting/latest/configuration/#webhook_config). Mail and chats are receivers
of Alertmanager: add them to `docker/alertmanager/alertmanager.yml`. After a change, run `./souk up`, or
`docker compose up -d --force-recreate alertmanager`. A warning is sent after a minute, unless an alert says
by then that the server is down from whose absence it follows, such as an open circuit breaker."""

DOWN = """\
Requests are counted by the processes that answer them. While the API is down, its requests are not counted,
and the budgets of availability, checkout and latency do not burn: then ProcessDown fires."""


def page() -> str:
    """Return the page's body as Markdown."""
    return "\n\n".join(
        [
            INTRODUCTION,
            "## What is measured",
            _table(("question", "metrics"), ((each, _names(QUESTIONS[each])) for each in QUESTIONS)),
            "## Objectives",
            f"Each objective has an error budget over {PERIOD_DAYS} days, and three alerts: the budget burns "
            + ", ".join(
                f"{each.factor:g} times as fast as allowed in {each.long} and {each.short}" for each in ALERTS
            )
            + ". They are in `dashboards/prometheus/objectives.py`.",
            _table(("objective", "target", "of", "alert"), _objectives()),
            DOWN,
            "## Other alerts",
            _table(("alert", "severity", "when", "for"), _alerts()),
            "## Every metric",
            _table(("metric", "type", "labels", "meaning"), _all_metrics()),
        ]
    )


def _objectives() -> Iterable[tuple[str, ...]]:
    for each in OBJECTIVES:
        yield each.name, f"{each.target:.1%}", each.meaning, _runbook(each.alert)


def _alerts() -> Iterable[tuple[str, ...]]:
    for name, severity, expression, duration in hand_written_alerts():
        yield _runbook(name), severity, f"`{expression}`".replace("|", "\\|"), duration


def _names(asked: Iterable[object]) -> str:
    return ", ".join(f"`{metric._name}`" for metric in asked)  # type: ignore[attr-defined]


def _all_metrics() -> Iterable[tuple[str, ...]]:
    ours = {metric._name: metric for metric in vars(metrics).values() if hasattr(metric, "_labelnames")}
    for name, metric in sorted(ours.items()):
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)
        yield f"`{name}`", metric._type, labels, metric._documentation


def _runbook(alert: str) -> str:
    return f"[{alert}](runbooks/{alert}.md)"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))
