"""`./souk status`: each part's state, memory and address, and the lag of jobs and services."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from common.errors import PartUnavailable
from common.settings import Settings
from local.status import Lag, Status, consumer_lag
from local.status import status as all_statuses
from local.table import console as make_console
from local.table import table


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show each part's state, memory and address, and how many messages each job and service is behind.

    Exits with 1 unless every part is ready.
    """
    settings = Settings.load()
    statuses = all_statuses(settings)
    lag = lag_if_ready(settings, statuses)
    if as_json:
        total = sum(status.memory_bytes for status in statuses)
        behind = asdict(lag) if lag else None
        print(
            json.dumps(
                {
                    "parts": [asdict(status) for status in statuses],
                    "memory_bytes": total,
                    "messages_behind": behind,
                },
                indent=2,
            )
        )
    else:
        console = make_console()
        console.print(table(statuses, console.width))
        for status in statuses:
            if status.says:
                console.print(f"[yellow]{status.name}[/]: {status.says}", highlight=False)
        for line in lag_lines(lag) if lag else ():
            console.print(line, highlight=False)
    if any(status.state != "ready" for status in statuses):
        raise typer.Exit(1)


def lag_if_ready(settings: Settings, statuses: list[Status]) -> Lag | None:
    """Return the lag of jobs and services; None while Kafka does not run or does not answer."""
    if not any(status.name == "kafka" and status.state == "ready" for status in statuses):
        return None
    try:
        return consumer_lag(settings)
    except PartUnavailable:
        return None


def lag_lines(lag: Lag) -> list[str]:
    """Return a line for the jobs and one for the services."""
    return [
        f"messages behind, {what}: " + ", ".join(f"{name} {count:,}" for name, count in counts.items())
        for what, counts in (("jobs", lag.jobs), ("services", lag.services))
    ]
