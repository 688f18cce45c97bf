"""`./souk audit`: compares the contents of all stores, to the cent and the row."""

import gc
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from audit.comparison import ComparisonResult
from audit.connect import beside, stores
from audit.cut import WaitPolicy, has_moved_since, wait_for
from audit.registry import COMPARISONS, current_name
from audit.replayed_source import imported, replayed
from audit.report import as_json, show, show_summary
from audit.run import compare_all
from audit.stores import Stores
from clickhouse.audit_results import AuditResult, record
from clickhouse.client import connect
from common.errors import PartUnavailable, UserError
from common.settings import Settings
from common.telemetry import configure_logging
from jobs.checkpoint_trigger import trigger_checkpoints
from jobs.versions import topics_of_live_jobs
from producers.registry import TOPICS_BY_GROUP as SERVICE_TOPICS


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
    gc.set_threshold(
        100_000, 20, 100
    )  # millions of rows come and go without cycles: looking for some took a third
    names = [current_name(name) for name in only or COMPARISONS]
    if unknown := [name for name in names if name not in COMPARISONS]:
        raise UserError(f"there is no comparison {unknown[0]!r}: choose from {', '.join(COMPARISONS)}")
    settings = Settings.load()
    console = Console(stderr=as_json_, soft_wrap=True)
    comparisons: list[ComparisonResult] = []
    with console.status("taking the cut") as status:
        wait_policy = WaitPolicy(
            stalled_s=wait,
            progress=lambda lag: status.update(f"waiting for jobs and services: {lag:,} messages to go"),
            request_commit=partial(trigger_checkpoints, settings),
        )
        tables = (
            imported(settings.home, source, mapping, settings.timezone)
            if mapping
            else replayed(settings.home, source, settings.timezone)
        )
        with stores(settings, tables, _progress(status), wait_policy) as opened:
            unread = _wait_for_cut(settings, opened, wait_policy)
            if unread:
                console.print(
                    f"{unread:,} messages before the cut are still unread, and their number has not fallen "
                    f"for {wait:g} s: comparing anyway",
                    style="yellow",
                )
            has_moved = partial(_has_moved, settings, opened)
            with beside(settings, opened) as apart:
                for comparison in compare_all(names, opened, has_moved, wait, status.update, apart):
                    comparisons.append(comparison)
                    show(comparison, settings.shop_currency, console)
    _record(settings, comparisons, console)
    if as_json_:
        print(as_json(comparisons, settled=not unread))
    show_summary(comparisons, console)
    for note in tables.notes if tables else ():
        console.print(note, style="yellow", markup=False, highlight=False)
    if not any(comparison.rows for comparison in comparisons) or any(
        c.difference_count or c.unread for c in comparisons
    ):
        raise typer.Exit(1)


def _record(settings: Settings, comparisons: list[ComparisonResult], console: Console) -> None:
    """Store what was found, for alerts and the page of operations. Without ClickHouse, only say so."""
    results = [
        AuditResult(
            comparison=each.spec.name,
            subject=each.spec.what,
            left_store=each.spec.left,
            right_store=each.spec.right,
            rows=each.rows,
            figures=each.figures,
            differences=each.difference_count,
            explained=each.explained,
            unread=each.unread,
        )
        for each in comparisons
    ]
    try:
        with connect(settings, admin=True) as admin:
            record(admin, datetime.now(UTC), results)
    except PartUnavailable as error:
        console.print(f"the results were not stored: {error}", style="yellow", markup=False, highlight=False)


def _wait_for_cut(settings: Settings, opened: Stores, wait_policy: WaitPolicy) -> int:
    if opened.cut is None:
        return 0
    readers: Mapping[str, Collection[str]] = topics_of_live_jobs(settings)
    if opened.service_db.exists():
        readers = {**readers, **SERVICE_TOPICS}
    return wait_for(opened.cut, settings.kafka, readers, wait_policy)


def _has_moved(settings: Settings, opened: Stores) -> bool:
    return opened.cut is not None and has_moved_since(opened.cut, settings.kafka, opened.service_db)


def _progress(status: Status) -> Callable[[str, int, int], None]:
    return lambda what, done, of: status.update(f"{what}: {done:,} of {of:,}")
