"""`./souk audit`: compares the contents of all stores, to the cent and the row."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from audit.comparison import ComparisonResult
from audit.recorded_audit import run_recorded, tune_garbage_collection
from audit.registry import COMPARISONS, current_name
from audit.replayed_source import imported, replayed
from audit.report import as_json, show, show_summary
from clickhouse.audit_runs.log import AuditStart
from common.clock import system_clock
from common.errors import UserError
from common.ids import new_id
from common.nights import night_turn
from common.settings import Settings
from common.telemetry import configure_logging


def command(
    source: Annotated[
        Path | None, typer.Option(help="The data set's directory; default: the replayed one.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare the import with this mapping, not a replay.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run only this comparison; may be repeated.")] = None,
    wait: Annotated[
        float, typer.Option(help="Stop waiting and rereading after this many seconds without progress.")
    ] = 60,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare source rows, Kafka, facts, aggregates, Redis, API and PostgreSQL; exit code 1 on differences.

    The shop may be in use: the audit compares the stores up to a cut, which it takes at the start. It rereads
    rows that changed after the cut until they agree. The source is the part of the Olist data set that was
    replayed, or with --mapping the tables that were imported. All of Olist needs about 1 GB of memory.
    """
    configure_logging("audit")  # to standard error: the standard output is the report
    tune_garbage_collection()
    names = [current_name(name) for name in only or COMPARISONS]
    if unknown := [name for name in names if name not in COMPARISONS]:
        raise UserError(f"there is no comparison {unknown[0]!r}: choose from {', '.join(COMPARISONS)}")
    settings = Settings.load()
    console = Console(stderr=as_json_, soft_wrap=True)
    tables = (
        imported(settings.home, source, mapping, settings.timezone)
        if mapping
        else replayed(settings.home, source, settings.timezone)
    )
    start = AuditStart(new_id(), system_clock(), "requested", set(names) == set(COMPARISONS))
    with night_turn(settings.home) as is_turn, console.status("taking the cut") as status:
        if not is_turn:
            console.print("a training or an audit is running, too: both take longer", style="yellow")
        watcher = _ConsoleWatcher(console, status, settings.shop_currency, wait)
        findings = run_recorded(settings, start, names, tables, wait, watcher)
    comparisons = findings.results
    if as_json_:
        print(as_json(comparisons, settled=not findings.unread))
    show_summary(comparisons, console)
    for note in tables.notes if tables else ():
        console.print(note, style="yellow", markup=False, highlight=False)
    if not any(comparison.rows for comparison in comparisons) or any(
        c.difference_count or c.unread for c in comparisons
    ):
        raise typer.Exit(1)


class _ConsoleWatcher:
    """Prints each comparison when it has ended, and what is being done as the status."""

    def __init__(self, console: Console, status: Status, currency: str, wait_s: float) -> None:
        self._console, self._status, self._currency, self._wait_s = console, status, currency, wait_s

    def doing(self, what: str) -> None:
        self._status.update(what)

    def unsettled(self, messages: int) -> None:
        self._console.print(
            f"{messages:,} messages before the cut are still unread, and their number has not fallen "
            f"for {self._wait_s:g} s: comparing anyway",
            style="yellow",
        )

    def compared(self, result: ComparisonResult) -> None:
        show(result, self._currency, self._console)

    def not_recorded(self, why: str) -> None:
        self._console.print(
            f"the audit is not recorded: {why}", style="yellow", markup=False, highlight=False
        )
