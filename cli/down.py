"""`./souk down`: stops everything that this copy started."""

from common.settings import Settings
from local import stack
from local.table import console as make_console


def command() -> None:
    """Stop everything that this copy started; its data stays."""
    console = make_console()
    strays = stack.down(Settings.load(), console)
    console.print(
        "Stopped." + (f" ({strays} stray processes were stopped too.)" if strays else ""), highlight=False
    )
