"""The dashboard of the commerce services: rate, errors and duration of each one's requests and messages."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards.layout import Section, build_dashboard
from dashboards.panels import THIRD, Column, PanelBuilder, metric_panel

ROUTES = {
    "orders": "/v1/orders(/[^/]+(/cancellation)?)?",
    "inventory": "/v1/(products/[^/]+/)?stock",
    "payments": "/v1/orders/[^/]+/payment",
    "users": "/v1/(auth/(registrations|verifications|sessions|refresh|password_resets|email_changes"
    "|unsubscriptions|state|demo).*|me|me/.*|mails.*|people|people/.*)",
    "sellers": "/v1/(sellers/[^/]+/(api_keys|commission|profile|staff|staff_invitations|suspension"
    "|costs|costs[.]csv)(/.*)?|seller_applications(/.*)?|seller_suspensions|commission_rules"
    "|staff_invitations/.*|auth/api_keys/.*)",
    "alerts": "/v1/(sellers/[^/]+/(alerts|reports|views)(/.*)?|alert_messages/summary)",
    "configuration": "/v1/settings.*",
}
"""Service → a regular expression that matches its routes, and only these."""

READING_EVENTS = ("orders", "inventory", "payments", "sellers")
"""The services that read events of others. Every service has an outbox."""

LINE = "{{what}}"


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard with a row of panels for each service."""
    sections = [Section(service.capitalize(), _panels(service)) for service in ROUTES]
    text = "Rate, errors and duration of the requests and the messages of each commerce service."
    return build_dashboard(settings, "souk-services", "Souk · Services", text, sections, "now-1h")


def _panels(service: str) -> list[PanelBuilder]:
    requests = f'job!="serving", route=~"{ROUTES[service]}"'
    messages = f'service="{service}"' if service in READING_EVENTS else ""
    return [
        metric_panel(
            f"Rate of {service}",
            "Requests and messages that the service answers and acts on, for each second.",
            _lines(
                f"sum(rate(souk_http_requests_total{{{requests}}}[5m]))",
                messages and f"sum(rate(souk_inbox_messages_total{{{messages}}}[5m]))",
            ),
            Column(LINE, "ops"),
            THIRD,
        ),
        metric_panel(
            f"Errors of {service}",
            "Share of requests with a status of 500 or more, and of messages that were retried or rejected.",
            _lines(
                f'sum(rate(souk_http_requests_total{{{requests}, status=~"5.."}}[5m]))'
                f" / sum(rate(souk_http_requests_total{{{requests}}}[5m]))",
                messages
                and f'sum(rate(souk_inbox_messages_total{{{messages}, outcome=~"retried|rejected"}}[5m]))'
                f" / sum(rate(souk_inbox_messages_total{{{messages}}}[5m]))",
            ),
            Column(LINE, "percentunit", yellow_from=0.001, red_from=0.01),
            THIRD,
        ),
        metric_panel(
            f"Duration of {service}",
            "99 of 100 requests are answered, and 99 of 100 messages are processed, within this time.",
            _lines(
                _slowest(f"souk_http_request_seconds_bucket{{{requests}}}"),
                messages and _slowest(f"souk_inbox_seconds_bucket{{{messages}}}"),
            ),
            Column(LINE, "s"),
            THIRD,
        ),
    ]


def _slowest(buckets: str) -> str:
    return f"histogram_quantile(0.99, sum by (le) (rate({buckets}[5m])))"


def _lines(requests: str, messages: str) -> str:
    """Return an expression with a line for each that is not empty; the label `what` names them."""
    named = {"requests": requests, "messages": messages}
    return " or ".join(
        f'label_replace({each}, "what", "{name}", "", "")' for name, each in named.items() if each
    )
