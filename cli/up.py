"""`./souk up`: starts every part that is not running and waits until all are ready."""

import time
from typing import Annotated

import typer

from common.settings import Settings
from local import stack
from local.parts import on_demand
from local.parts.on_demand import ON_DEMAND
from local.status import status
from local.table import console as make_console
from local.table import table


def command(
    wanted: Annotated[
        list[str] | None,
        typer.Option(
            "--with", metavar="NAME", help=f"Start this part, too, now and later: {', '.join(ON_DEMAND)}."
        ),
    ] = None,
    unwanted: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="NAME", help="Stop such a part, and don't start it again."),
    ] = None,
) -> None:
    """Start every part that is not running and wait until all are ready.

    Prints the parts with their ports and addresses. Prometheus and Alertmanager must be on PATH
    (docs/monitoring.md). Zipkin is downloaded, and gets the traces (docs/traces.md).
    """
    console, begun = make_console(), time.monotonic()
    settings = Settings.load()
    on_demand.change(settings, wanted or (), unwanted or ())
    settings = stack.up(settings, console)
    console.print(table(status(settings), console.width))
    console.print(f"Ready in {time.monotonic() - begun:.1f} s. Open {settings.public}/", highlight=False)
