"""`./souk demo`: a living marketplace on this machine, with nothing but the checkout."""

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from common.settings import Settings
from local import stack
from local.demo import watch
from local.demo.simulator import Simulator
from local.home import Home
from local.supervision.supervisor import Supervisor
from local.table import console as make_console
from producers.feed.lock import only_one


def command(
    rate: Annotated[int, typer.Option(min=1, max=20_000, help="Events a second, once it is live.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another marketplace.")] = 1,
    weeks: Annotated[int, typer.Option(min=1, max=104, help="How much past to make up first.")] = 4,
    shoppers: Annotated[int | None, typer.Option(min=1, help="How many shoppers there are.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="How long to stay live.", show_default="until Ctrl-C")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the platform running at the end.")] = False,
) -> None:
    """Start the platform, make up some weeks of a marketplace's past, and let it live until Ctrl-C.

    Ctrl-C stops the traffic, and the platform too unless it ran before; the data stays, and the next demo
    goes on with it.
    """
    console, settings = make_console(), Settings.load()
    home = Home(settings.home)
    world = ["--seed", str(seed), "--weeks", str(weeks), *(["--shoppers", str(shoppers)] if shoppers else [])]
    with only_one(home.path / "demo.lock", "a demo of this copy"), ended_like_ctrl_c(console):
        keep = keep or Supervisor(home).alive()
        stops = "the traffic; the platform stays" if keep else "the traffic and the platform; the data stays"
        try:
            settings = stack.up(settings, console)
            with Simulator(settings, "backfill", *world) as simulator:
                watch.back_fill(settings, simulator, console)
            show_addresses(settings, console)
            with Simulator(settings, "live", *world, "--rate", str(rate)) as simulator:
                limit_s = math.inf if minutes is None else minutes * 60
                watch.live(settings, simulator, console, f"Ctrl-C stops {stops}.", limit_s)
        except KeyboardInterrupt:
            console.print("stopping", highlight=False)
        finally:
            if not keep:
                stack.down(settings, console)
    console.print(f"Stopped {stops}. `./souk demo` goes on from here.", highlight=False)


def show_addresses(settings: Settings, console: Console) -> None:
    """Print where to look."""
    for what, address in {
        "the shop and its sellers": f"{settings.serving}/",
        "the API": f"{settings.serving}/docs",
        "Flink": settings.flink,
        "ClickHouse": f"{settings.clickhouse} (user {settings.clickhouse_reader_user}), or `./souk sql`",
    }.items():
        console.print(f"  {what:<26}{address}", highlight=False, soft_wrap=True)


@contextmanager
def ended_like_ctrl_c(console: Console) -> Iterator[None]:
    """Let a plain `kill`, or a terminal that closes, end the demo as Ctrl-C does: cleanly."""

    def hang_up(*_: object) -> NoReturn:
        console.quiet = True  # nobody reads any more, and writing would fail
        raise KeyboardInterrupt

    handlers = {signal.SIGTERM: signal.default_int_handler, signal.SIGHUP: hang_up}
    before = {sign: signal.signal(sign, handler) for sign, handler in handlers.items()}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
