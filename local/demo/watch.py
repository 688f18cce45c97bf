"""Shows the simulator at work until it has done what it was started for, or is told to stop."""

import time
from collections.abc import Iterator

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from common.clock import system_clock
from common.settings import Settings
from local.demo import traffic
from local.demo.latest import Latest
from local.demo.memory import Memory, Process
from local.demo.screen import Seen, line, screen
from local.demo.shop import Day, ShopFigures
from local.demo.simulator import Simulator
from local.home import Home

LOOK_S = 0.5
DAY_S = 2.0
MEMORY_S = 5.0
LINE_S = 10.0
"""How often the screen is drawn, the API asked, memory measured, and a line printed without a terminal."""


def back_fill(settings: Settings, simulator: Simulator, console: Console) -> None:
    """Show a bar until the past is in Kafka.

    Raises:
        PartUnavailable: the simulator failed.
    """
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
    with bar:
        task = bar.add_task("making up the past", total=None)
        ended = False
        while not ended:
            ended = simulator.ended()
            seen = traffic.read(settings.home)
            reached = f" to {seen.event_time[:10]}" if seen.event_time else ""
            bar.update(
                task, description=f"back-filling{reached}", total=seen.total or None, completed=seen.done
            )
            time.sleep(0 if ended else LOOK_S)


def live(settings: Settings, simulator: Simulator, console: Console, advice: str, limit_s: float) -> None:
    """Show the live marketplace until the simulator ends, `limit_s` have passed, or Ctrl-C comes.

    Raises:
        PartUnavailable: the simulator failed.
    """
    shop = ShopFigures(settings, system_clock)
    day = Latest(shop.today, DAY_S)
    processes = Latest(Memory(Home(settings.home).run).now, MEMORY_S)
    try:
        _show(settings, _moments(settings, simulator, day, processes, limit_s), console, advice)
    finally:
        day.close()
        processes.close()
        shop.close()


def _moments(
    settings: Settings,
    simulator: Simulator,
    day: Latest[Day],
    processes: Latest[list[Process]],
    limit_s: float,
) -> Iterator[Seen]:
    begun = time.monotonic()
    while not simulator.ended() and (live_s := time.monotonic() - begun) < limit_s:
        unanswered = [day.problem] if day.problem else []
        yield Seen(traffic.read(settings.home), day.value, processes.value or [], live_s, unanswered)
        time.sleep(LOOK_S)


def _show(settings: Settings, moments: Iterator[Seen], console: Console, advice: str) -> None:
    locale, printed_s = settings.shop_locale, 0.0
    if not console.is_terminal:
        for seen in moments:
            if seen.live_s - printed_s >= LINE_S:
                printed_s = seen.live_s
                console.print(line(seen, locale), soft_wrap=True, highlight=False, markup=False)
        return
    with Live(console=console, auto_refresh=False) as shown:
        for seen in moments:
            shown.update(screen(seen, f"{settings.serving}/", locale, advice), refresh=True)
