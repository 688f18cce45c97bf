"""Shows the simulator's progress until it ends or Ctrl-C is pressed."""

import time
from collections.abc import Iterator

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from common.clock import system_clock
from common.settings import Settings
from local.demo.dashboard import DemoSnapshot, render, summary_line
from local.demo.figures import DayFigures, FiguresClient
from local.demo.poller import Poller
from local.demo.process_memory import MemoryMonitor, ProcessMemory
from local.demo.simulator_process import SimulatorProcess
from local.demo.simulator_status import read_status
from local.state_directory import StateDirectory

REFRESH_INTERVAL_S = 0.5
FIGURES_INTERVAL_S = 5.0
MEMORY_INTERVAL_S = 5.0
LINE_INTERVAL_S = 10.0
"""Intervals of drawing the screen, requesting figures, measuring memory, and printing without a terminal."""


def show_backfill(settings: Settings, simulator: SimulatorProcess, console: Console) -> None:
    """Show a progress bar until the back-fill is in Kafka.

    Raises:
        PartUnavailable: the simulator failed.
    """
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
    with bar:
        task = bar.add_task("generating the history", total=None)
        ended = False
        while not ended:
            ended = simulator.ended()
            status = read_status(settings.home)
            reached = f" to {status.event_time[:10]}" if status.event_time else ""
            bar.update(
                task, description=f"back-filling{reached}", total=status.total or None, completed=status.done
            )
            time.sleep(0 if ended else REFRESH_INTERVAL_S)


def show_live(
    settings: Settings, simulator: SimulatorProcess, console: Console, advice: str, limit_s: float
) -> None:
    """Show live figures until the simulator ends, `limit_s` seconds have passed, or Ctrl-C is pressed.

    Raises:
        PartUnavailable: the simulator failed.
    """
    client = FiguresClient(settings, system_clock)
    day = Poller(client.today, FIGURES_INTERVAL_S)
    processes = Poller(MemoryMonitor(StateDirectory(settings.home).run).now, MEMORY_INTERVAL_S)
    try:
        _show(settings, _snapshots(settings, simulator, day, processes, limit_s), console, advice)
    finally:
        day.close()
        processes.close()
        client.close()


def _snapshots(
    settings: Settings,
    simulator: SimulatorProcess,
    day: Poller[DayFigures],
    processes: Poller[list[ProcessMemory]],
    limit_s: float,
) -> Iterator[DemoSnapshot]:
    begun = time.monotonic()
    while not simulator.ended() and (live_s := time.monotonic() - begun) < limit_s:
        problems = [day.problem] if day.problem else []
        yield DemoSnapshot(read_status(settings.home), day.value, processes.value or [], live_s, problems)
        time.sleep(REFRESH_INTERVAL_S)


def _show(settings: Settings, snapshots: Iterator[DemoSnapshot], console: Console, advice: str) -> None:
    locale, printed_s = settings.shop_locale, 0.0
    if not console.is_terminal:
        for snapshot in snapshots:
            if snapshot.live_s - printed_s >= LINE_INTERVAL_S:
                printed_s = snapshot.live_s
                console.print(summary_line(snapshot, locale), soft_wrap=True, highlight=False, markup=False)
        return
    with Live(console=console, auto_refresh=False) as shown:
        for snapshot in snapshots:
            shown.update(render(snapshot, f"{settings.serving}/", locale, advice), refresh=True)
