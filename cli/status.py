"""`./souk status`: each part's state, memory and address."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from common.settings import Settings
from local.status import status as all_statuses
from local.table import console as make_console
from local.table import table


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show each part's state, memory and address. Exits with 1 unless every part is ready."""
    statuses = all_statuses(Settings.load())
    if as_json:
        total = sum(status.memory_bytes for status in statuses)
        print(json.dumps({"parts": [asdict(s) for s in statuses], "memory_bytes": total}, indent=2))
    else:
        console = make_console()
        console.print(table(statuses, console.width))
        for status in statuses:
            if status.says:
                console.print(f"[yellow]{status.name}[/]: {status.says}", highlight=False)
    if any(status.state != "ready" for status in statuses):
        raise typer.Exit(1)
