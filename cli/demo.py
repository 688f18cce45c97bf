"""`./souk demo`: a living marketplace on this machine, with nothing but the checkout."""

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from common.errors import UserError
from common.settings import Settings
from local import stack
from local.demo import watch
from local.demo.past import catch_up
from local.demo.simulator import Simulator
from local.home import Home
from local.supervision.supervisor import Supervisor
from local.table import console as make_console
from producers.feed.lock import only_one
from producers.simulator import kept as keeping
from producers.simulator.history.plan import Plan
from producers.simulator.world.shape import Shape

FASTEST = 20_000
SEED = "Another seed is another marketplace, in a SOUK_HOME of its own."


def command(
    rate: Annotated[int, typer.Option(help="Events a second, once it is live: 1 to 20,000.")] = 200,
    seed: Annotated[int | None, typer.Option(help=SEED, show_default="1")] = None,
    weeks: Annotated[
        int | None, typer.Option(help="How much past to make up first.", show_default="4")
    ] = None,
    shoppers: Annotated[
        int | None, typer.Option(help="How many shoppers there are.", show_default="20,000")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="How long to stay live.", show_default="until Ctrl-C")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the platform running at the end.")] = False,
) -> None:
    """Start the platform, make up some weeks of a marketplace's past, and let it live until Ctrl-C.

    Ctrl-C stops the traffic, and the platform too unless it ran before; the data stays, and the next demo
    goes on with it.
    """
    console, settings = make_console(), Settings.load()
    home = Home(settings.home)
    world = {"seed": seed, "weeks": weeks, "shoppers": shoppers}
    asked = [word for name, value in world.items() if value is not None for word in (f"--{name}", str(value))]
    require_sensible(settings, rate, minutes, world)
    with only_one(home.path / "demo.lock", "a demo of this copy"), ended_like_ctrl_c(console):
        keep = keep or Supervisor(home).alive()
        stops = "the traffic; the platform stays" if keep else "the traffic and the platform; the data stays"
        try:
            settings = stack.up(settings, console)
            with Simulator(settings, "backfill", *asked) as simulator:
                watch.back_fill(settings, simulator, console)
            catch_up(settings, console)
            show_addresses(settings, console)
            with Simulator(settings, "live", *asked, "--rate", str(rate)) as simulator:
                limit_s = math.inf if minutes is None else minutes * 60
                watch.live(settings, simulator, console, f"Ctrl-C stops {stops}.", limit_s)
        except KeyboardInterrupt:
            console.print("stopping", highlight=False)
        finally:
            if not keep:
                stack.down(settings, console)
    console.print(f"Stopped {stops}. `./souk demo` goes on from here.", highlight=False)


def require_sensible(
    settings: Settings, rate: int, minutes: float | None, world: dict[str, int | None]
) -> None:
    """Refuse at once what the simulator would refuse a minute later.

    Raises:
        UserError: a number makes no sense, or this copy's marketplace is another one.
    """
    if not 1 <= rate <= FASTEST:
        raise UserError(f"--rate {rate}: give 1 to {FASTEST:,} events a second")
    if minutes is not None and not minutes > 0:
        raise UserError(f"--minutes {minutes:g}: give more than 0")
    kept = keeping.read(settings.home)
    if kept is not None:
        shop = {"currency": settings.shop_currency, "timezone": settings.shop_timezone}
        return keeping.require_same(kept, world | shop)
    given: dict[str, Any] = {name: value for name, value in world.items() if value is not None}
    length = {"weeks": given.pop("weeks")} if "weeks" in given else {}
    Plan(Shape(**given), 0, **length)
    return None


def show_addresses(settings: Settings, console: Console) -> None:
    """Print where to look."""
    for what, address in {
        "the shop": f"{settings.serving}/shop",
        "its sellers": f"{settings.serving}/",
        "the API": f"{settings.serving}/docs",
        "Flink": settings.flink,
        "ClickHouse": f"{settings.clickhouse} (user {settings.clickhouse_reader_user}), or `./souk sql`",
    }.items():
        console.print(f"  {what:<12}{address}", highlight=False, soft_wrap=True)


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
