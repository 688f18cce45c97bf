"""The dashboards of the commerce services.

The first shows rate, errors and duration of the requests and the messages of each one. Each service has one
of its own: its requests, the events it reads and sends, and what it does.
"""

from collections.abc import Callable, Mapping
from functools import partial

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards.panels import HALF, THIRD, Column, PanelBuilder, Section, build_dashboard, metric_panel
from schemas.services import SERVICES

LINE = "{{what}}"


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard with a row of panels for each service."""
    sections = [Section(service.capitalize(), _panels(service)) for service in SERVICES]
    return build_dashboard(
        settings,
        "souk-services",
        "Souk · Services",
        "Rate, errors and duration of the requests and the messages of each commerce service.",
        sections,
        "now-1h",
    )


def _panels(service: str) -> list[PanelBuilder]:
    own = f'service="{service}"'
    return [
        metric_panel(
            f"Rate of {service}",
            "Requests and messages that the service answers and acts on, for each second.",
            _lines(
                service,
                f"sum(rate(souk_http_requests_total{{{own}}}[5m]))",
                f"sum(rate(souk_inbox_messages_total{{{own}}}[5m]))",
            ),
            Column(LINE, "ops"),
            THIRD,
        ),
        metric_panel(
            f"Errors of {service}",
            "Share of requests with a status of 500 or more, and of messages that were retried or rejected.",
            _lines(
                service,
                f'sum(rate(souk_http_requests_total{{{own}, status=~"5.."}}[5m]))'
                f" / sum(rate(souk_http_requests_total{{{own}}}[5m]))",
                f'sum(rate(souk_inbox_messages_total{{{own}, outcome=~"retried|rejected"}}[5m]))'
                f" / sum(rate(souk_inbox_messages_total{{{own}}}[5m]))",
            ),
            Column(LINE, "percentunit", yellow_from=0.001, red_from=0.01),
            THIRD,
        ),
        metric_panel(
            f"Duration of {service}",
            "99 of 100 requests are answered, and 99 of 100 messages are processed, within this time.",
            _lines(
                service,
                _slowest(f"souk_http_request_seconds_bucket{{{own}}}"),
                _slowest(f"souk_inbox_seconds_bucket{{{own}}}"),
            ),
            Column(LINE, "s"),
            THIRD,
        ),
    ]


def _slowest(buckets: str) -> str:
    return f"histogram_quantile(0.99, sum by (le) (rate({buckets}[5m])))"


def _lines(service: str, requests: str, messages: str) -> str:
    """Return an expression with a line for requests and, of a service that reads events, one for messages.

    The label `what` names them.
    """
    named = {"requests": requests} | ({"messages": messages} if SERVICES[service].reads else {})
    return " or ".join(f'label_replace({each}, "what", "{name}", "", "")' for name, each in named.items())


def dashboards() -> dict[str, Callable[[Settings], Dashboard]]:
    """Return a dashboard for each commerce service, by the name of its file: `service-orders`."""
    return {f"service-{service}": partial(_dashboard, service=service) for service in SERVICES}


def _dashboard(settings: Settings, service: str) -> Dashboard:
    sections = [Section("Requests", _requests(service))]
    if own := _OWN.get(service):
        sections.append(Section("What it does", own))
    if SERVICES[service].reads:
        sections.append(Section("Events that it reads", _inbox(service)))
    sections.append(Section("Events and requests that it sends", _outbox(service)))
    title = f"Souk · Service {service}"
    return build_dashboard(
        settings,
        f"souk-service-{service}",
        title,
        f"The commerce service {service}: requests, events, and what it does for the shop.",
        sections,
        "now-1h",
    )


def _requests(service: str) -> list[PanelBuilder]:
    routes = f'service="{service}"'
    return [
        metric_panel(
            "Rate by route",
            "Requests for each second, by route.",
            f"sum by (method, route) (rate(souk_http_requests_total{{{routes}}}[5m]))",
            Column("{{method}} {{route}}", "ops"),
            THIRD,
        ),
        metric_panel(
            "Answers by status",
            "Answers for each second, by status; from 500 on, the service has failed.",
            f"sum by (status) (rate(souk_http_requests_total{{{routes}}}[5m]))",
            Column("{{status}}", "ops"),
            THIRD,
        ),
        metric_panel(
            "Duration by route",
            "99 of 100 requests of a route are answered within this time.",
            f"histogram_quantile(0.99, sum by (le, route) "
            f"(rate(souk_http_request_seconds_bucket{{{routes}}}[5m])))",
            Column("{{route}}", "s"),
            THIRD,
        ),
        metric_panel(
            "Circuit breaker",
            "The API's circuit breaker before this service: 0 is closed, 1 half-open, 2 open.",
            f'max by (breaker) (souk_circuit_breaker_state{{breaker="commerce.{service}"}})',
            Column("{{breaker}}", "none", yellow_from=1, red_from=2),
            HALF,
        ),
        metric_panel(
            "Unexpected errors",
            "Errors of the last five minutes that nobody expected, by the event or the worker.",
            f'sum by (event) (increase(souk_unexpected_errors_total{{service="{service}"}}[5m]))',
            Column("{{event}}", "short", red_from=1),
            HALF,
        ),
    ]


def _inbox(service: str) -> list[PanelBuilder]:
    return [
        metric_panel(
            "Rate by event",
            "Events for each second, by event and by what became of them.",
            f'sum by (event, outcome) (rate(souk_inbox_messages_total{{service="{service}"}}[5m]))',
            Column("{{event}} {{outcome}}", "ops"),
            THIRD,
        ),
        metric_panel(
            "Duration by event",
            "99 of 100 events are processed within this time.",
            "histogram_quantile(0.99, sum by (le, event) "
            f'(rate(souk_inbox_seconds_bucket{{service="{service}"}}[5m])))',
            Column("{{event}}", "s"),
            THIRD,
        ),
        metric_panel(
            "Messages behind",
            "Messages in Kafka after the last one that the service has committed.",
            f'sum by (group) (souk_messages_behind{{group="souk_{service}"}})',
            Column("{{group}}", "short"),
            THIRD,
        ),
    ]


def _outbox(service: str) -> list[PanelBuilder]:
    own = f'service="{service}"'
    return [
        metric_panel(
            "Sent by event",
            "Events for each second that the service sent to Kafka.",
            f"sum by (event) (rate(souk_outbox_published_total{{{own}}}[5m]))",
            Column("{{event}}", "ops"),
            THIRD,
        ),
        metric_panel(
            "Outbox",
            "Events that the service has committed and not yet sent to Kafka, and the age of the oldest.",
            f'label_replace(sum(souk_outbox_waiting{{{own}}}), "what", "events", "", "")'
            f' or label_replace(max(souk_outbox_age_seconds{{{own}}}), "what", "seconds", "", "")',
            Column("{{what}}", "none"),
            THIRD,
        ),
        metric_panel(
            "From commit to Kafka",
            "99 of 100 events of the service are in Kafka within this time after their commit.",
            f"histogram_quantile(0.99, sum by (le) (rate(souk_outbox_delay_seconds_bucket{{{own}}}[5m])))",
            Column("delay", "s"),
            THIRD,
        ),
        metric_panel(
            "Requests to other services",
            "Requests of the service that others have not answered yet, and the age of the oldest.",
            f'label_replace(max(souk_requests_waiting{{{own}}}), "what", "requests", "", "")'
            f' or label_replace(max(souk_requests_age_seconds{{{own}}}), "what", "seconds", "", "")',
            Column("{{what}}", "none"),
            THIRD,
        ),
    ]


_OWN: Mapping[str, list[PanelBuilder]] = {
    "orders": [
        metric_panel(
            "Orders",
            "Orders for each second that were placed, confirmed and cancelled.",
            "sum by (status) (rate(souk_orders_total[5m]))",
            Column("{{status}}", "ops"),
        ),
    ],
    "inventory": [
        metric_panel(
            "Reservations",
            "Reservations of stock for each second, by what became of them.",
            "sum by (outcome) (rate(souk_reservations_total[5m]))",
            Column("{{outcome}}", "ops"),
        ),
    ],
    "payments": [
        metric_panel(
            "Payments",
            "Payments for each second, by what became of them.",
            "sum by (outcome) (rate(souk_payments_total[5m]))",
            Column("{{outcome}}", "ops"),
        ),
        metric_panel(
            "Payment provider",
            "99 of 100 calls of the payment provider are answered within this time.",
            "histogram_quantile(0.99, sum by (le, call) (rate(souk_provider_seconds_bucket[5m])))",
            Column("{{call}}", "s"),
        ),
    ],
    "configuration": [
        metric_panel(
            "Known versions",
            "The lowest version of each setting that a process knows; all know a change within a second.",
            "min by (setting) (souk_setting_version)",
            Column("{{setting}}", "none"),
        ),
    ],
}
"""Service → the panels of what it does for the shop."""
