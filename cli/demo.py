"""`./souk demo`: a marketplace with live traffic on this machine."""

import math
import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from common.errors import UserError
from common.file_lock import single_instance
from common.settings import Settings
from common.signal_handlers import interrupted_by_signals
from local import stack
from local.demo.display import show_backfill, show_live, wait_for_backfill
from local.demo.simulator_process import SimulatorProcess
from local.demo_mode import offer_demo_sessions, set_demo
from local.state_directory import StateDirectory
from local.supervision.supervisor import Supervisor
from local.table import console as make_console
from producers.simulator import saved_world
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.world.shape import WorldShape

BUSY_SHARE = 2 / 3
"""Share of the cores that the platform and its simulator may use."""

IDLE_CORES = 0.4
"""Cores that the platform uses without traffic."""

CORES_PER_EVENT = 0.003
"""Cores for one event a second: 400 of them took 1.6 cores, with those of an idle platform."""

LOOP_STEPS, LOOP_S = 200_000, 0.014
"""The loop of `relative_speed`, and its CPU time in seconds on a machine of that kind. On a slower one, such
as a laptop or a virtual machine beside busy ones, an event costs more in the same proportion."""

STEP, MIN_DEFAULT, MAX_DEFAULT = 100, 50, 1_000
"""The default is a multiple of `STEP`. Rates above `MAX_DEFAULT` were not measured."""

CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""The CPU limit of a container: `<quota> <period>` in microseconds, or `max <period>`."""


def default_rate(cores: float) -> int:
    """Return the events per second that keep `BUSY_SHARE` of the cores busy, within the limits above.

    `cores` are those of the machine on which the costs above were measured.
    """
    rate = (cores * BUSY_SHARE - IDLE_CORES) / CORES_PER_EVENT
    return min(max(int(rate // STEP) * STEP, MIN_DEFAULT), MAX_DEFAULT)


def relative_speed() -> float:
    """Return the speed of this machine's cores, as a multiple of that which the costs above belong to."""
    return LOOP_S / min(_loop_s() for _ in range(3))


def _loop_s() -> float:
    begun, total = time.process_time(), 0
    for number in range(LOOP_STEPS):
        total += number * number % 7
    return time.process_time() - begun


def available_cores(limit: Path = CGROUP_LIMIT) -> float:
    """Return the number of cores that this process may use: its CPU affinity and its container's limit."""
    cores = float(len(os.sched_getaffinity(0)))
    try:
        quota, period = limit.read_text().split()
        return cores if quota == "max" else min(cores, int(quota) / int(period))
    except (OSError, ValueError):  # no cgroup v2
        return cores


MAX_RATE = 20_000
SEED_HELP = "Seed of the marketplace. Another seed needs another SOUK_HOME."


def command(
    rate: Annotated[
        int | None,
        typer.Option(
            help="Events a second: 1 to 20,000.",
            show_default="what two thirds of the cores can take: 400 on two",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help=SEED_HELP, show_default="1")] = None,
    weeks: Annotated[
        int | None, typer.Option(help="Weeks of history to generate first.", show_default="4")
    ] = None,
    shoppers: Annotated[int | None, typer.Option(help="Number of shoppers.", show_default="20,000")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Minutes of live traffic.", show_default="until Ctrl-C")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the platform running at the end.")] = False,
) -> None:
    """Start the platform, generate some weeks of history, then live traffic until Ctrl-C.

    Ctrl-C stops the traffic, and the platform unless it was running before. The data stays, and the next demo
    continues with it.
    """
    console, settings, begun_s = make_console(), Settings.load(), time.monotonic()
    rate = default_rate(available_cores() * relative_speed()) if rate is None else rate
    home = StateDirectory(settings.home)
    world = {"seed": seed, "weeks": weeks, "shoppers": shoppers}
    world_arguments = [
        word for name, value in world.items() if value is not None for word in (f"--{name}", str(value))
    ]
    check_options(settings, rate, minutes, world)
    with single_instance(home.path / "demo.lock", "a demo of this copy"), interrupted_by_signals():
        keep = keep or Supervisor(home).alive()
        stops = "the traffic; the platform stays" if keep else "the traffic and the platform; the data stays"
        try:
            set_demo(settings)
            settings = stack.up(settings, console)
            offer_demo_sessions(settings)
            show_addresses(settings, console)
            ready = f"  All parts are ready after {time.monotonic() - begun_s:.0f} s"
            counting = "the figures of the pages rise while the history is counted."
            console.print(f"{ready}; {counting}", highlight=False, soft_wrap=True)
            with SimulatorProcess(settings, "backfill", *world_arguments) as simulator:
                show_backfill(settings, simulator, console)
            wait_for_backfill(settings, console)
            console.print(
                f"  {rate:,} events a second, live after {time.monotonic() - begun_s:.0f} s", highlight=False
            )
            with SimulatorProcess(settings, "live", *world_arguments, "--rate", str(rate)) as simulator:
                limit_s = math.inf if minutes is None else minutes * 60
                show_live(settings, simulator, console, f"Ctrl-C stops {stops}.", limit_s)
        except KeyboardInterrupt:
            console.print("stopping", highlight=False)
        finally:
            if not keep:
                stack.down(settings, console)
    console.print(f"Stopped {stops}. `./souk demo` continues from here.", highlight=False)


def check_options(settings: Settings, rate: int, minutes: float | None, world: dict[str, int | None]) -> None:
    """Check the options before anything starts.

    Raises:
        UserError: a number is out of range, or this copy has a marketplace with other options.
    """
    if not 1 <= rate <= MAX_RATE:
        raise UserError(f"--rate {rate}: give 1 to {MAX_RATE:,} events a second")
    if minutes is not None and not minutes > 0:
        raise UserError(f"--minutes {minutes:g}: give more than 0")
    saved = saved_world.read(settings.home)
    if saved is not None:
        return saved_world.require_same_options(
            saved, world | {"currency": settings.shop_currency, "timezone": settings.shop_timezone}
        )
    options: dict[str, Any] = {name: value for name, value in world.items() if value is not None}
    length = {"weeks": options.pop("weeks")} if "weeks" in options else {}
    HistoryPlan(WorldShape(**options), 0, **length)
    return None


def show_addresses(settings: Settings, console: Console) -> None:
    """Print the addresses of the running demo."""
    reader = f"user {settings.clickhouse_reader_user}, no password"
    for what, address in {
        "the shop": f"{settings.serving}/shop",
        "the sellers": f"{settings.serving}/",
        "the API": f"{settings.serving}/docs",
        "Flink": settings.flink,
        "ClickHouse": f"{settings.clickhouse} ({reader}), or `./souk sql`",
    }.items():
        console.print(f"  {what:<12}{address}", highlight=False, soft_wrap=True)
