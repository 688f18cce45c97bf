"""The report of a replay: events, totals, and every row that could not be used."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from common.errors import SoukError
from common.money import format_money
from common.settings import Settings
from producers.feed.events import Events, Timeline
from producers.replay.findings import ConversionFindings
from producers.replay.journal import JournalEntry

_MAX_REASONS = 20


@dataclass(frozen=True)
class ReplayTotals:
    """Totals of the events of a replay. Money is in minor units of one currency."""

    orders: int
    lines: int
    units: int
    gross_minor: int
    shipping_minor: int
    payments: int
    payments_minor: int


def compute_totals(timeline: Timeline) -> ReplayTotals:
    """Return the totals of all events of the timeline."""
    by_name = {events.name: events for events in timeline.events}
    orders, payments = by_name.get("order_placed"), by_name.get("payment_captured")
    lines = [line for of_order in (orders.columns["lines"] if orders else []) for line in of_order]
    return ReplayTotals(
        orders=_count(orders),
        lines=len(lines),
        units=sum(line["quantity"] for line in lines),
        gross_minor=sum(line["quantity"] * line["unit_price_minor"] for line in lines),
        shipping_minor=sum(line["shipping_minor"] for line in lines),
        payments=_count(payments),
        payments_minor=sum(payments.columns["amount_minor"]) if payments else 0,
    )


def _count(events: Events | None) -> int:
    return 0 if events is None else len(events)


def write(paths: list[Path], entry: JournalEntry, findings: ConversionFindings) -> None:
    """Write the report as JSON: the replay, notes, a summary, and each row that could not be used.

    Raises:
        SoukError: a file can't be written.
    """
    report: dict[str, Any] = {
        "replay": asdict(entry),
        "notes": findings.notes,
        "unusable_summary": [
            {"table": table, "reason": reason, "rows": rows} for table, reason, rows in findings.summary()
        ],
        "unusable": [asdict(row) for row in sorted(findings.unusable)],
    }
    text = json.dumps(report, indent=1, ensure_ascii=False)
    for path in paths:
        try:
            path.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise SoukError(f"the report {path} can't be written ({error.strerror})") from error


def print_report(
    console: Console, entry: JournalEntry, findings: ConversionFindings, settings: Settings, currency: str
) -> None:
    """Print events and totals, then the notes on the source and the rejected rows."""
    counts = Table("event", "sent", title=f"{entry.data_set}: {entry.total:,} events")
    counts.columns[1].justify = "right"
    for name, count in entry.counts.items():
        counts.add_row(name, f"{count:,}")
    console.print(counts)

    sums = Table("total", "", title="totals")
    sums.columns[1].justify = "right"
    for name, value in entry.totals.items():
        money = name.endswith("_minor")
        text = format_money(value, currency, settings.shop_locale) if money else f"{value:,}"
        sums.add_row(name.removesuffix("_minor"), text)
    console.print(sums)

    for note in findings.notes:
        console.print(f"• {note}", highlight=False)
    summary = findings.summary()
    if summary:
        rejected = Table("table", "reason", "rows", title="rows that could not be used")
        rejected.columns[2].justify = "right"
        for table, reason, rows in summary[:_MAX_REASONS]:
            rejected.add_row(table, reason, f"{rows:,}")
        if len(summary) > _MAX_REASONS:
            rejected.add_row("…", f"{len(summary) - _MAX_REASONS} more reasons", "")
        console.print(rejected)
    else:
        console.print("Every row could be used.")
