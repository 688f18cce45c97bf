"""The report of a replay: events, totals, and every row that could not be used."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from common.errors import SoukError
from common.money import format_money
from common.settings import Settings
from producers.feed.events import Timeline
from producers.importer.dataset import ConversionFindings, FileRows
from producers.importer.journal import JournalEntry

_MAX_REASONS = 20


def compute_totals(timeline: Timeline) -> dict[str, int]:
    """Return the totals of all events of the timeline. Money is in minor units of one currency."""
    names = ("orders", "lines", "units", "gross_minor", "shipping_minor")
    totals = dict.fromkeys((*names, "payments", "payments_minor", "refunds", "refunds_minor"), 0)
    columns = {events.name: events.columns for events in timeline.events}
    for lines in columns.get("order_placed", {}).get("lines", []):
        totals["orders"] += 1
        for line in lines:
            totals["lines"] += 1
            totals["units"] += line["quantity"]
            totals["gross_minor"] += line["quantity"] * line["unit_price_minor"]
            totals["shipping_minor"] += line["shipping_minor"]
    for name, event in (("payments", "payment_captured"), ("refunds", "payment_refunded")):
        amounts = columns.get(event, {}).get("amount_minor", [])
        totals |= {name: len(amounts), f"{name}_minor": sum(amounts)}
    return totals


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
    counts = [(name, f"{count:,}") for name, count in entry.counts.items()]
    _print_table(console, f"{entry.data_set}: {entry.total:,} events", ("event", sent), counts)
    sums = [
        (
            name.removesuffix("_minor"),
            format_money(value, currency, settings.shop_locale) if name.endswith("_minor") else f"{value:,}",
        )
        for name, value in entry.totals.items()
    ]
    _print_table(console, "totals", ("total", ""), sums)
    if findings.checks:
        _print_checks(console, findings)
    for note in findings.notes:
        console.print(f"• {note}", highlight=False)
    summary = findings.summary()
    if findings.files:
        _print_files(console, findings)
    elif summary:
        reasons = [(table, reason, f"{rows:,}") for table, reason, rows in summary[:_MAX_REASONS]]
        if len(summary) > _MAX_REASONS:
            reasons.append(("…", f"{len(summary) - _MAX_REASONS} more reasons", ""))
        _print_table(console, "rows that could not be used", ("table", "reason", "rows"), reasons)
    else:
        console.print("Every row could be used.")


def _print_table(
    console: Console, title: str, header: Sequence[str], rows: Iterable[tuple[str, ...]]
) -> None:
    """Print a table whose last column has numbers."""
    table = Table(*header, title=title)
    table.columns[-1].justify = "right"
    for row in rows:
        table.add_row(*row)
    console.print(table)


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
