"""The dashboard of the commerce services: rate, errors and duration of each one's requests and messages."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards.layout import Section, build_dashboard
from dashboards.panels import THIRD, Column, PanelBuilder, metric_panel
from schemas.services import SERVICES

LINE = "{{what}}"


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard with a row of panels for each service."""
    sections = [Section(service.capitalize(), _panels(service)) for service in SERVICES]
    text = "Rate, errors and duration of the requests and the messages of each commerce service."
    return build_dashboard(settings, "souk-services", "Souk · Services", text, sections, "now-1h")


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
