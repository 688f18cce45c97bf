"""`./souk replay DATA_SET DIR`: converts a published data set to events and sends them to Kafka."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.sending import Sending, require_writable
from common.errors import UserError
from common.settings import Settings
from producers.feed.timeline_sender import parse_speed
from producers.importer import dataset, run


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
    require_writable(json_report)
    sending = Sending(settings, console, restart=restart, json_report=json_report, up=up, demo=True)
    settings = sending.send(plan)
    console.print(f"page:   {settings.serving}/", soft_wrap=True, highlight=False)


def _plan(
    data_set: str, directory: Path, start: str, end: str, speed: str, settings: Settings
) -> run.ReplayOptions:
    plan = run.ReplayOptions(
        dataset.load_data_set(data_set),
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
