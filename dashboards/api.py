"""The dashboard of the API: its requests, what it refuses, its cache, its queries, and its event loop."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards.panels import THIRD, Column, PanelBuilder, Section, build_dashboard, metric_panel

_OWN = 'job="serving"'


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard of the processes that serve the API and the pages."""
    sections = [
        Section("Requests", _requests()),
        Section("Protection", _protection()),
        Section("Figures", _figures()),
        Section("Browsing events and streams", _events()),
    ]
    return build_dashboard(
        settings,
        "souk-api",
        "Souk · API",
        "The API and the pages: requests, refusals, circuit breakers, cache, queries and event streams.",
        sections,
        "now-1h",
    )


def _requests() -> list[PanelBuilder]:
    return [
        metric_panel(
            "Rate by route",
            "Requests for each second of the routes that are called most.",
            f"topk(15, sum by (route) (rate(souk_http_requests_total{{{_OWN}}}[5m])))",
            Column("{{route}}", "ops"),
            THIRD,
        ),
        metric_panel(
            "Answers by status",
            "Answers for each second, by status; from 500 on, the API has failed.",
            f"sum by (status) (rate(souk_http_requests_total{{{_OWN}}}[5m]))",
            Column("{{status}}", "ops"),
            THIRD,
        ),
        metric_panel(
            "Slowest routes",
            "99 of 100 requests of these routes are answered within this time.",
            "topk(15, histogram_quantile(0.99, sum by (le, route) "
            f"(rate(souk_http_request_seconds_bucket{{{_OWN}}}[5m]))))",
            Column("{{route}}", "s"),
            THIRD,
        ),
    ]


def _protection() -> list[PanelBuilder]:
    return [
        metric_panel(
            "Refused",
            "Requests for each second that the gateway refused, by kind of traffic and by the reason.",
            "sum by (traffic, reason) (rate(souk_requests_refused_total[5m]))",
            Column("{{traffic}} {{reason}}", "ops"),
            THIRD,
        ),
        metric_panel(
            "Circuit breakers",
            "0 is closed, 1 half-open, 2 open: then the part behind it is not called.",
            "max by (breaker) (souk_circuit_breaker_state)",
            Column("{{breaker}}", "none", yellow_from=1, red_from=2),
            THIRD,
        ),
        metric_panel(
            "Accepted at the same time",
            "Requests that the processes of the API accept at the same time; fewer when they get slow.",
            'sum by (service) (souk_concurrency_limit{service="serving"})',
            Column("{{service}}", "short"),
            THIRD,
        ),
        metric_panel(
            "Event loop",
            "How late the event loop runs a timer. From 0.1 s on, every answer waits.",
            'max by (service) (souk_loop_lag_seconds{service="serving"})',
            Column("{{service}}", "s", yellow_from=0.1, red_from=1),
            THIRD,
        ),
        metric_panel(
            "Last figures shown",
            "Questions for each second that were answered with the last known figures, or with none.",
            "sum by (outcome) (rate(souk_last_answers_total[5m]))",
            Column("{{outcome}}", "ops"),
            THIRD,
        ),
        metric_panel(
            "Cache",
            "Lookups of the cache for each second, by what was found.",
            "sum by (cache, outcome) (rate(souk_cache_requests_total[5m]))",
            Column("{{cache}} {{outcome}}", "ops"),
            THIRD,
        ),
    ]


def _figures() -> list[PanelBuilder]:
    return [
        metric_panel(
            "Figures are behind",
            "How long ago figures were complete. It also grows while no events happen.",
            "time() - max by (figures) (souk_figures_as_of_seconds)",
            Column("{{figures}}", "s", yellow_from=10, red_from=60),
            THIRD,
        ),
        metric_panel(
            "Slowest queries",
            "99 of 100 runs of these queries on ClickHouse are answered within this time.",
            "topk(15, histogram_quantile(0.99, sum by (le, query) (rate(souk_query_seconds_bucket[5m]))))",
            Column("{{query}}", "s"),
            THIRD,
        ),
        metric_panel(
            "ClickHouse's answers",
            "99 of 100 requests to ClickHouse are answered within this time, by kind and user.",
            "histogram_quantile(0.99, sum by (le, kind, user) (rate(souk_clickhouse_seconds_bucket[5m])))",
            Column("{{kind}} {{user}}", "s"),
            THIRD,
        ),
    ]


def _events() -> list[PanelBuilder]:
    return [
        metric_panel(
            "Browsing events",
            "Browsing events of visitors for each second, by event and by what became of them.",
            "sum by (event, outcome) (rate(souk_events_taken_total[5m]))",
            Column("{{event}} {{outcome}}", "ops"),
            THIRD,
        ),
        metric_panel(
            "Open streams",
            "Pages that follow new figures in an open event stream.",
            "sum by (stream) (souk_live_listeners)",
            Column("{{stream}}", "short"),
            THIRD,
        ),
        metric_panel(
            "Dropped from the cache",
            "Changes for each second that dropped cached responses, by kind.",
            "sum by (kind) (rate(souk_cache_changes_total[5m]))",
            Column("{{kind}}", "ops"),
            THIRD,
        ),
    ]
