"""The text of a report's mail: each metric with the period before, and a link to the CSV file. Pure."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from babel.dates import format_date
from babel.numbers import format_percent

from common.request_path import in_path
from producers.services.alerts.figures import Total, Totals
from producers.services.alerts.report_store import Report
from producers.services.alerts.texts import LOCALE, value_text


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
