"""`./souk up`: starts every part that is not running and waits until all are ready."""

import time
from typing import Annotated

import typer

from common.settings import Settings
from local import parts_on_demand, stack
from local.status import status
from local.table import console as make_console
from local.table import table


def command(
    wanted: Annotated[
        list[str], typer.Option("--with", help="Also start this part on demand, now and later: zipkin.")
    ] = [],  # noqa: B006 - typer copies it
    unwanted: Annotated[
        list[str], typer.Option("--without", help="Stop a part on demand, and don't start it again.")
    ] = [],  # noqa: B006
) -> None:
    """Start every part that is not running and wait until all are ready."""
    console, begun = make_console(), time.monotonic()
    settings = Settings.load()
    parts_on_demand.change(settings, wanted, unwanted)
    settings = stack.up(settings, console)
    console.print(table(status(settings), console.width))
    console.print(f"Ready in {time.monotonic() - begun:.1f} s. Open {settings.public}/", highlight=False)
