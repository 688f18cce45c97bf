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
from producers.importer.findings import ConversionFindings, FileRows
from producers.importer.journal import JournalEntry

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
    refunds: int
    refunds_minor: int


def compute_totals(timeline: Timeline) -> ReplayTotals:
    """Return the totals of all events of the timeline."""
    by_name = {events.name: events for events in timeline.events}
    orders, payments = by_name.get("order_placed"), by_name.get("payment_captured")
    refunds = by_name.get("payment_refunded")
    lines = units = gross_minor = shipping_minor = 0
    for of_order in orders.columns["lines"] if orders else []:
        for line in of_order:
            lines += 1
            units += line["quantity"]
            gross_minor += line["quantity"] * line["unit_price_minor"]
            shipping_minor += line["shipping_minor"]
    return ReplayTotals(
        orders=_count(orders),
        lines=lines,
        units=units,
        gross_minor=gross_minor,
        shipping_minor=shipping_minor,
        payments=_count(payments),
        payments_minor=sum(payments.columns["amount_minor"]) if payments else 0,
        refunds=_count(refunds),
        refunds_minor=sum(refunds.columns["amount_minor"]) if refunds else 0,
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
        "files": [asdict(file) for file in findings.files],
        "checks": [asdict(check) for check in findings.checks],
    }
    text = json.dumps(report, indent=1, ensure_ascii=False)
    for path in paths:
        try:
            path.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise SoukError(f"the report {path} can't be written ({error.strerror})") from error


def print_report(
    console: Console,
    entry: JournalEntry,
    findings: ConversionFindings,
    settings: Settings,
    currency: str,
    dry_run: bool = False,
) -> None:
    """Print events and totals, then the notes on the source and the rejected rows."""
    sent = "would be sent" if dry_run else "sent"
    counts = Table("event", sent, title=f"{entry.data_set}: {entry.total:,} events")
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

    if findings.checks:
        _print_checks(console, findings)
    for note in findings.notes:
        console.print(f"• {note}", highlight=False)
    summary = findings.summary()
    if findings.files:
        _print_files(console, findings)
    elif summary:
        rejected = Table("table", "reason", "rows", title="rows that could not be used")
        rejected.columns[2].justify = "right"
        for table, reason, rows in summary[:_MAX_REASONS]:
            rejected.add_row(table, reason, f"{rows:,}")
        if len(summary) > _MAX_REASONS:
            rejected.add_row("…", f"{len(summary) - _MAX_REASONS} more reasons", "")
        console.print(rejected)
    else:
        console.print("Every row could be used.")


def _print_files(console: Console, findings: ConversionFindings) -> None:
    """Print what each row of each file is used as, or why it is not used; the rows add up to the file."""
    for file in findings.files:
        console.print(f"{file.file}: {_describe_lines(file)}", soft_wrap=True, highlight=False, markup=False)
        table = Table("rows", "", "")
        table.columns[2].justify = "right"
        for word, rows in (("used as", file.used), ("not used", file.unused)):
            for text, count in rows.items():
                table.add_row(word, text, f"{count:,}")
        used, unused = sum(file.used.values()), sum(file.unused.values())
        table.add_section()
        table.add_row("all", f"{used:,} used, {unused:,} not used", f"{used + unused:,}")
        console.print(table)


def _print_checks(console: Console, findings: ConversionFindings) -> None:
    """Print what agrees with the source's own totals, and what does not."""
    console.print("checked against the tables:", highlight=False)
    for check in findings.checks:
        sign, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("•", None)}[check.agrees]
        console.print(f"{sign} {check.text}", style=style, soft_wrap=True, highlight=False, markup=False)


def _describe_lines(file: FileRows) -> str:
    """Return the lines of a file by kind; they add up to the file's length."""
    parts = {
        "before the header": file.skipped_lines,
        "header": file.header_lines,
        "blank": file.blank_lines,
        "lines that continue a row": file.further_lines,
    }
    others = "".join(f" + {lines:,} {what}" for what, lines in parts.items() if lines)
    return (
        f"{file.rows + sum(parts.values()):,} lines = {file.rows:,} rows{others}"
        if others
        else (f"{file.rows:,} rows")
    )
