"""`./souk audit`: compare every store with every other, to the cent and the row."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from audit.comparison import Comparison
from audit.connect import stores
from audit.registry import COMPARISONS
from audit.report import as_json, show, show_summary
from audit.selection import replayed
from audit.sources.postgres import Books
from common.errors import UserError
from common.settings import Settings
from jobs.commit import commit_soon
from jobs.registry import READS as JOBS_READ
from jobs.settle import settle_while_moving
from jobs.waiting import messages_behind
from producers.registry import READS as SERVICES_READ


def command(
    source: Annotated[
        Path | None, typer.Option(help="The data set's directory; else the one that was replayed.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run only this comparison; may be repeated.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for Kafka to be read on.")] = 60,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare source rows, Kafka, facts, aggregates, Redis, API and PostgreSQL; exit code 1 on differences.

    The source is the Olist data set that was replayed, with the days that were chosen then, as far as the
    replay came. Needs about 1 GB of memory for all of Olist.
    """
    names = only or list(COMPARISONS)
    if unknown := [name for name in names if name not in COMPARISONS]:
        raise UserError(f"there is no comparison {unknown[0]!r}: choose from {', '.join(COMPARISONS)}")
    settings = Settings.load()
    console = Console(stderr=as_json_, soft_wrap=True)
    with console.status("looking for the end of Kafka") as status:
        left = _settle(settings, wait, status)
        if left:
            console.print(
                f"{left:,} messages of Kafka are still to be read, no fewer than {wait:g} s ago: "
                "comparing anyway",
                style="yellow",
            )
        found: list[Comparison] = []
        tables = replayed(settings.home, source, settings.timezone)
        with stores(settings, tables, _progress(status)) as opened:
            for name in names:
                status.update(name)
                for comparison in COMPARISONS[name](opened):
                    found.append(comparison)
                    show(comparison, settings.shop_currency, console)
    if as_json_:
        print(as_json(found, settled=not left))
    show_summary(found, console)
    for note in tables.notes if tables else ():
        console.print(note, style="yellow", markup=False, highlight=False)
    if not any(comparison.rows for comparison in found) or any(c.difference_count or c.unread for c in found):
        raise typer.Exit(1)


def _settle(settings: Settings, still_s: float, status: Status) -> int:
    """Wait while Kafka is read on; how many messages are left when it is not."""
    with Books(settings.postgres) as books:

        def lag() -> int:
            under_way = books.under_way()
            if under_way is None:
                return messages_behind(settings.kafka, JOBS_READ)
            return under_way + messages_behind(settings.kafka, JOBS_READ | SERVICES_READ)

        return settle_while_moving(
            lag,
            still_s,
            lambda behind: status.update(f"waiting for jobs and services: {behind:,} messages to go"),
            partial(commit_soon, settings, JOBS_READ),
        )


def _progress(status: Status) -> Callable[[str, int, int], None]:
    return lambda what, done, of: status.update(f"{what}: {done:,} of {of:,}")
