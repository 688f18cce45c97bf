"""`./souk replay DATA_SET DIR`: converts a published data set to events and sends them to Kafka."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from common.clock import from_millis
from common.errors import UserError
from common.kafka import cluster_id
from common.settings import Settings
from local import stack
from local.demo_mode import offer_demo_sessions, set_demo
from producers.feed.pace import parse_speed
from producers.feed.timeline_producer import TimelineProducer
from producers.feed.timeline_sender import OnProgress
from producers.replay import dataset, journal, report, run
from schemas.setup import register


def command(
    data_set: Annotated[str, typer.Argument(help=f"One of: {', '.join(dataset.DATA_SETS)}.")],
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of its tables (CSV or Parquet).")
    ],
    speed: Annotated[str, typer.Option(help="`max`, or a factor of the original speed.")] = "max",
    start: Annotated[
        str, typer.Option("--from", metavar="DATE", help="Only events from this day or time on.")
    ] = "",
    end: Annotated[
        str, typer.Option("--to", metavar="DATE", help="Only events before this day or time.")
    ] = "",
    restart: Annotated[bool, typer.Option("--restart", help="Send everything again from the start.")] = False,
    json_report: Annotated[
        Path | None, typer.Option(help="Also write the report to this file, as JSON.")
    ] = None,
    up: Annotated[bool, typer.Option("--up/--no-up", help="Start the platform first.")] = True,
) -> None:
    """Convert a data set to events and send them in event-time order.

    An interrupted replay resumes. Sending events twice changes no figure.
    """
    console, settings = Console(), Settings.load()
    plan = _plan(data_set, directory, start, end, speed, settings)
    _require_writable(json_report)
    with journal.exclusive(settings.home, data_set):
        with console.status(f"reading {directory}"):
            conversion, fingerprint = run.convert(plan, settings)
        set_demo(settings)
        if up:
            settings = stack.up(settings, console)
        offer_demo_sessions(settings)
        schema_ids = register(settings).schema_ids
        prepared = run.prepare(plan, settings, conversion, fingerprint, cluster_id(settings.kafka))
        if not prepared.entry.total:
            raise UserError(f"{directory} has no event in that range: widen --from and --to")
        if restart:
            prepared = replace(prepared, entry=replace(prepared.entry, position=0, finished_at=None))
        reports = [Path(prepared.entry.report), *([json_report] if json_report else [])]
        if prepared.entry.complete:
            report.write(reports, prepared.entry, prepared.findings)
            console.print(
                f"All {prepared.entry.total:,} events were sent by {prepared.entry.finished_at}. "
                "--restart sends them again, which changes no figure.",
                highlight=False,
            )
        else:
            with _progress(console, prepared) as on_progress:
                replayed = run.send(prepared, settings, schema_ids, plan.speed, on_progress)
            report.write(reports, replayed, prepared.findings)
            report.print_report(
                console, replayed, prepared.findings, settings, dataset.load_data_set(data_set).CURRENCY
            )
    console.print(f"report: {prepared.entry.report}", soft_wrap=True, highlight=False)
    console.print(f"page:   {settings.serving}/", soft_wrap=True, highlight=False)


def _plan(
    data_set: str, directory: Path, start: str, end: str, speed: str, settings: Settings
) -> run.ReplayOptions:
    dataset.load_data_set(data_set)
    plan = run.ReplayOptions(
        data_set,
        directory,
        _moment("--from", start, settings),
        _moment("--to", end, settings),
        parse_speed(speed),
    )
    if plan.start and plan.end and plan.start >= plan.end:
        raise UserError(f"--from {start} is not before --to {end}: swap them")
    return plan


def _moment(option: str, text: str, settings: Settings) -> datetime | None:
    """Parse a day (its start in the shop's zone) or a time; returns None for an empty text."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"{option} {text} is not a date: write it as 2017-11-24") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=settings.timezone)


def _require_writable(path: Path | None) -> None:
    if path is None:
        return
    try:
        path.open("a").close()
    except OSError as error:
        raise UserError(f"--json-report {path} can't be written ({error.strerror})") from error


@contextmanager
def _progress(console: Console, prepared: run.PreparedReplay) -> Iterator[OnProgress]:
    """Show a progress bar with events per second and the event time of the last event."""
    total, start_position = prepared.entry.total, prepared.entry.position
    if start_position:
        console.print(f"resuming after {start_position:,} of {total:,} events", highlight=False)
    bar = Progress(
        TextColumn("{task.fields[reached]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("[yellow]{task.fields[trouble]}"),
        console=console,
    )
    task = bar.add_task("", total=total, completed=start_position, reached="", rate="", trouble="")
    acknowledged = start_position

    def on_progress(feed: TimelineProducer) -> None:
        nonlocal acknowledged
        acknowledged = feed.acknowledged
        at = from_millis(int(prepared.timeline.occurred_at[min(acknowledged, total - 1)]))
        elapsed = bar.tasks[0].elapsed or 0.0
        rate = f"{(acknowledged - start_position) / elapsed:,.0f}/s" if elapsed > 1 else ""
        bar.update(
            task, completed=acknowledged, reached=f"{at:%Y-%m-%d %H:%M}", rate=rate, trouble=feed.trouble
        )

    with bar:
        try:
            yield on_progress
        except KeyboardInterrupt:
            bar.stop()
            console.print(
                f"stopped after {acknowledged:,} of {total:,} events: run the same command to resume",
                highlight=False,
            )
            raise
