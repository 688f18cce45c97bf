"""`./souk down`: stop everything that this copy started."""

from rich.console import Console

from common.settings import Settings
from local import stack


def command() -> None:
    """Stop everything that this copy started; its data stays."""
    console = Console()
    strays = stack.down(Settings.load(), console)
    console.print(
        "Stopped." + (f" ({strays} stray processes were ended too.)" if strays else ""), highlight=False
    )
