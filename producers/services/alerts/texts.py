"""The texts of messages about alerts and of reports, for people and for programs. Pure."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from common.money import format_money
from common.request_path import in_path
from producers.services.alerts.figures import CatalogueEntry, Total, Totals
from producers.services.alerts.message_store import MessageText
from producers.services.alerts.model import Condition, MessageKind, Usual
from producers.services.alerts.report_store import Report
from producers.services.alerts.store import Rule
from producers.services.alerts.windows import Observation

LOCALE = "en"

_OPENINGS: dict[MessageKind, str] = {
    "fired": "Alert",
    "repeated": "Still",
    "resolved": "Resolved",
    "test": "Test",
}


def value_text(value: float | None, unit: str, currency: str) -> str:
    """Return the value of a metric in its unit as text; a dash if there is none."""
    if value is None:
        return "–"
    if unit == "money":
        return format_money(round(value), currency, LOCALE)
    if unit == "share":
        return format_percent(value, "#,##0.0%", locale=LOCALE)
    number = format_decimal(value, "#,##0.##", locale=LOCALE)
    return f"{number} h" if unit == "hours" else number


def condition_text(condition: Condition, unit: str, currency: str) -> str:
    """Return a condition in words, such as `above R$100.00`."""
    if condition.kind == "threshold":
        return f"{condition.direction} {value_text(condition.value, unit, currency)}"
    side = {"above": "above", "below": "below", "either": "above or below"}[condition.direction]
    return f"far {side} the usual of that time ({condition.deviations:g} deviations)"


def alert_text(
    rule: Rule,
    kind: MessageKind,
    metric: CatalogueEntry,
    observation: Observation,
    currency: str,
    alert_id: str | None,
    site: str,
) -> MessageText:
    """Return the message about a rule's alert after an observation; `site` is the base URL of the pages."""
    bucket = observation.bucket
    value = value_text(bucket.value, metric.unit, currency)
    condition = condition_text(rule.condition, metric.unit, currency)
    lines = [
        f"{metric.title}: {value}",
        f"{rule.window.capitalize()}: {_time(bucket.start)} – {_time(bucket.end)}",
        f"The alert fires if it is {condition}.",
    ]
    if rule.product_id:
        lines.insert(1, f"Product: {rule.product_id}")
    if observation.usual:
        lines.insert(1, f"Usual: {value_text(observation.usual.median, metric.unit, currency)}")
    if kind == "resolved":
        lines.append("It is resolved now.")
    page = f"{site}/sell/{in_path(rule.seller_id)}"
    lines += ["", f"The metric: {page}/metrics?metric={rule.metric}", f"Your alerts: {page}/alerts"]
    content = {
        "alert_id": alert_id,
        "rule_id": rule.rule_id,
        "rule_name": rule.name,
        "seller_id": rule.seller_id,
        "severity": rule.severity,
        "metric": rule.metric,
        "product_id": rule.product_id,
        "unit": metric.unit,
        "currency": currency if metric.unit == "money" else None,
        "window": {"length": rule.window, "start": bucket.start.isoformat(), "end": bucket.end.isoformat()},
        "value": bucket.value,
        "usual": _usual(observation.usual),
        "condition": condition,
        "page": f"{page}/alerts",
    }
    subject = f"{_OPENINGS[kind]}: {rule.name} ({metric.title} {value})"
    return MessageText(subject, "\n".join(lines) + "\n", content)


def test_text(rule: Rule, now: datetime, site: str) -> MessageText:
    """Return the test message of a rule."""
    page = f"{site}/sell/{in_path(rule.seller_id)}/alerts"
    content = {
        "rule_id": rule.rule_id,
        "rule_name": rule.name,
        "seller_id": rule.seller_id,
        "metric": rule.metric,
        "made_at": now.isoformat(),
        "page": page,
    }
    body = f"This is a test of the rule “{rule.name}”. Messages about its alerts arrive here.\n\n{page}\n"
    return MessageText(f"{_OPENINGS['test']}: {rule.name}", body, content)


def _usual(usual: Usual | None) -> dict[str, float] | None:
    return None if usual is None else {"median": usual.median, "spread": usual.spread}


def _time(moment: datetime) -> str:
    return format_datetime(moment, "MMM d, yyyy, HH:mm", tzinfo=moment.tzinfo, locale=LOCALE)


def report_text(
    report: Report, period: tuple[datetime, datetime], totals: Totals, site: str
) -> tuple[str, str]:
    """Return the subject and the body of the mail about a period; `site` is the base URL of the pages."""
    when = period_text(report, period)
    lines = [f"{report.name}, {when}", "", *(_line(each, totals.currency) for each in totals.metrics), ""]
    seller = in_path(report.seller_id)
    query = urlencode(
        {
            "with": ",".join(report.metrics[1:]),
            "from": period[0].isoformat(),
            "to": period[1].isoformat(),
            "compare": "none",
        }
    )
    lines.append(
        f"As a CSV file: {site}/v1/sellers/{seller}/analytics/{report.metrics[0]}/export.csv?{query}"
    )
    lines.append(f"Change or end this report: {site}/sell/{seller}/alerts#reports")
    return f"{report.name}: {when}", "\n".join(lines) + "\n"


def period_text(report: Report, period: tuple[datetime, datetime]) -> str:
    """Return a period in words: `Nov 25, 2026`, `Nov 16 – Nov 22, 2026` or `October 2026`."""
    first = period[0].astimezone(report.zone).date()
    last = (period[1] - timedelta(minutes=1)).astimezone(report.zone).date()
    if report.period == "month":
        return str(format_date(first, "MMMM yyyy", locale=LOCALE))
    end = format_date(last, "MMM d, yyyy", locale=LOCALE)
    return end if first == last else f"{format_date(first, 'MMM d', locale=LOCALE)} – {end}"


def _line(total: Total, currency: str) -> str:
    value = value_text(total.value, total.unit, currency)
    before = value_text(total.compared, total.unit, currency)
    changed = ""
    if total.value is not None and total.compared:
        change = (total.value - total.compared) / abs(total.compared)
        changed = f", {format_percent(change, '+#,##0.0%;-#,##0.0%', locale=LOCALE)}"
    return f"{total.title}: {value} (before: {before}{changed})"
