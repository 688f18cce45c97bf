"""Shows the demo: the progress of the history, the wait until it is read, and the screen of live figures."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from common.clock import system_clock
from common.consumer_lag import total_lag
from common.errors import PartUnavailable
from common.money import format_money
from common.settings import Settings
from jobs.catch_up import ReadLag, wait_while_lag_falls
from jobs.flink_client import jobs_without_checkpoint, trigger_checkpoints
from jobs.versions import topics_of_live_jobs
from local.demo.figures import (
    DayFigures,
    FiguresClient,
    MemoryMonitor,
    Poller,
    ProcessMemory,
    SimulatorStatus,
    read_status,
)
from local.demo.simulator_process import SimulatorProcess
from local.state_directory import StateDirectory
from local.supervision.supervisor import NAME as SUPERVISOR
from local.table import duration
from schemas.services import TOPICS_BY_GROUP as SERVICE_TOPICS

REFRESH_INTERVAL_S = 0.5
FIGURES_INTERVAL_S = 5.0
MEMORY_INTERVAL_S = 5.0
LINE_INTERVAL_S = 10.0
"""Intervals of drawing the screen, requesting figures, measuring memory, and printing without a terminal."""

STALL_TIMEOUT_S = 120.0
"""Longer than a job needs on a busy machine to restart and to commit its offsets."""

COMMIT_EVERY_S = 10.0
"""How often checkpoints are triggered; a job processes nothing for most of a second during each."""

STALE = timedelta(seconds=10)
"""Older figures are highlighted."""

MEMORY_COLUMNS = 3
MAX_ERROR_KINDS = 3
"""Number of kinds of errors that are listed."""

ADVICE = {SUPERVISOR: ": `./souk up` in another terminal starts it again"}
"""Advice for a process that is not restarted automatically. The simulator survives a restart of all parts."""

NOTHING = "–"


@dataclass(frozen=True)
class DemoSnapshot:
    """The values on the screen at one moment."""

    simulator: SimulatorStatus
    day: DayFigures | None
    processes: list[ProcessMemory]
    live_s: float
    """Seconds since the demo went live."""
    problems: list[str]
    """Reasons why the newest requests for figures failed."""


def render(snapshot: DemoSnapshot, address: str, locale: str, advice: str) -> Panel:
    """Return the screen: 80 columns, about 20 lines. `advice` is its last line."""
    columns = Table.grid(padding=(0, 1, 0, 0))
    columns.add_row(_traffic(snapshot.simulator), _day(snapshot.day, locale), _endpoints(snapshot.simulator))
    lines: list[RenderableType] = [columns, "", _memory(snapshot.processes), ""]
    lines += [Text(warning, "red") for warning in warnings(snapshot)]
    lines.append(Text(advice, "dim"))
    return Panel(
        Group(*lines),
        title=f"[bold]Souk[/], live for {duration(snapshot.live_s)}: {escape(address)}",
        title_align="left",
    )


def summary_line(snapshot: DemoSnapshot, locale: str) -> str:
    """Return the same values as one line, for output that is not a terminal."""
    traffic, day = snapshot.simulator, snapshot.day
    words = [
        f"live {duration(snapshot.live_s)}",
        f"{traffic.rate:,.0f} events/s",
        *(f"{count:,} orders {what}" for what, count in traffic.orders.items()),
        *(f"{name} p99 {latency.p99_ms:.0f} ms" for name, latency in traffic.endpoints.items()),
        *(_fresh(day, locale) if day else []),
        f"{_megabytes(process.memory_bytes for process in snapshot.processes)} MB",
        f"{sum(traffic.errors.values()):,} errors",
    ]
    return "; ".join([", ".join(words), *warnings(snapshot)])


def _fresh(day: DayFigures, locale: str) -> list[str]:
    return [
        f"net sales today {_net_sales(day, locale)}",
        f"complete to {_ago(day.behind)}",
        f"views up to {_ago(day.views_behind)}",
    ]


def warnings(snapshot: DemoSnapshot) -> list[str]:
    """Return one line for each problem."""
    traffic = snapshot.simulator
    worst = sorted(traffic.errors.items(), key=lambda error: -error[1])[:MAX_ERROR_KINDS]
    return [
        *(
            [f"shoppers slowed to {traffic.pace:.0%} of the rate: {traffic.slowed_because}"]
            if traffic.pace < 1
            else []
        ),
        *(f"{count:,} × {kind}" for kind, count in worst),
        *(
            f"{process.name} is not running{ADVICE.get(process.name, '')}"
            for process in snapshot.processes
            if not process.alive
        ),
        *(
            f"{process.name} was restarted ({process.restarts} ×)"
            for process in snapshot.processes
            if process.restarts
        ),
        *snapshot.problems,
    ]


def _traffic(traffic: SimulatorStatus) -> Table:
    table = _table("traffic", "")
    table.add_row("events/s", f"{traffic.rate:,.0f}")
    table.add_row("events", f"{traffic.sent:,}")
    for what, count in traffic.orders.items():
        table.add_row(what, f"{count:,}")
    errors = sum(traffic.errors.values())
    table.add_row("errors", Text(f"{errors:,}", "red" if errors else ""))
    return table


def _day(day: DayFigures | None, locale: str) -> Table:
    table = _table("today", "")
    table.add_row("net sales", _net_sales(day, locale) if day else NOTHING)
    table.add_row("orders", f"{day.orders:,}" if day else NOTHING)
    table.add_row("cancelled", f"{day.cancelled:,}" if day else NOTHING)
    table.add_row("sellers", f"{day.sellers:,}" if day else NOTHING)
    table.add_row("complete to", _freshness(day.behind if day else None))
    table.add_row("views up to", _freshness(day.views_behind if day else None))
    return table


def _endpoints(traffic: SimulatorStatus) -> Table:
    table = _table("response, ms", "p50", "p99")
    for name, latency in traffic.endpoints.items():
        table.add_row(name, f"{latency.p50_ms:,.1f}", f"{latency.p99_ms:,.1f}")
    if not traffic.endpoints:
        table.add_row(NOTHING, NOTHING, NOTHING)
    return table


def _memory(processes: list[ProcessMemory]) -> Table:
    """Return a table of each process' memory in megabytes and its growth since the demo went live."""
    table = Table.grid(padding=(0, 1, 0, 0))
    for _ in range(MEMORY_COLUMNS):
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True, style="dim", min_width=6)
    used, grown = [process.memory_bytes for process in processes], [p.grown_bytes for p in processes]
    cells = [("[bold]memory, MB[/]", f"[bold]{_megabytes(used)}[/]", _growth(grown))]
    cells += [(p.name, _megabytes([p.memory_bytes]), _growth([p.grown_bytes])) for p in processes]
    rows = -(-len(cells) // MEMORY_COLUMNS)
    for row in range(rows):
        table.add_row(*(word for cell in cells[row::rows] for word in cell))
    return table


def _table(title: str, *figures: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(title, no_wrap=True)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table


def _net_sales(day: DayFigures, locale: str) -> str:
    return format_money(day.net_sales_minor, day.currency, locale)


def _freshness(behind: timedelta | None) -> Text:
    late = behind is None or behind > STALE
    return Text(_ago(behind), "yellow" if late else "")


def _ago(behind: timedelta | None) -> str:
    return f"{max(behind.total_seconds(), 0):.1f} s ago" if behind is not None else NOTHING


def _megabytes(counts: Iterable[int]) -> str:
    return f"{sum(counts) / 2**20:,.0f}"


def _growth(counts: Iterable[int]) -> str:
    return f"{round(sum(counts) / 2**20):+,}"


def wait_for_backfill(settings: Settings, console: Console) -> None:
    """Wait until jobs and services have read all messages in Kafka.

    The back-fill would delay earlier live events, and these would refer to products that are not stored yet.
    """
    wait(lag_of(settings), lambda: trigger_checkpoints(settings), console, STALL_TIMEOUT_S)


def lag_of(settings: Settings) -> ReadLag:
    """Return a function that counts the unread messages of jobs and services.

    While Kafka, Flink or Redis does not answer, it returns the previous count.
    """
    last = 1

    def lag() -> int:
        nonlocal last
        with suppress(PartUnavailable):
            # First, so that the lag reflects the commits of every job that has a checkpoint.
            job_topics = topics_of_live_jobs(settings)
            last = jobs_without_checkpoint(settings, job_topics) + total_lag(
                settings.kafka, job_topics | SERVICE_TOPICS
            )
        return last

    return lag


def wait(lag: ReadLag, request_commit: Callable[[], None], console: Console, stall_timeout_s: float) -> None:
    """Wait until `lag()` is zero. If it has not fallen for `stall_timeout_s`, print a warning and return."""
    printed_s = time.monotonic()
    with console.status("processing the history") as status:

        def show(behind: int) -> None:
            nonlocal printed_s
            text = f"processing the history: {behind:,} messages to go"
            status.update(text)
            if not console.is_terminal and time.monotonic() - printed_s >= LINE_INTERVAL_S:
                printed_s = time.monotonic()
                console.print(text, highlight=False)

        unread = wait_while_lag_falls(lag, stall_timeout_s, show, request_commit, COMMIT_EVERY_S)
    if unread:
        console.print(
            f"{unread:,} messages are not processed yet, and their number has not fallen for "
            f"{stall_timeout_s:g} s: starting live traffic; see `./souk status` and `./souk logs jobs`",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )


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
    memory = MemoryMonitor(StateDirectory(settings.home).run)
    with (
        closing(FiguresClient(settings, system_clock)) as client,
        closing(Poller(client.today, FIGURES_INTERVAL_S)) as day,
        closing(Poller(memory.now, MEMORY_INTERVAL_S)) as processes,
    ):
        _show(settings, _snapshots(settings, simulator, day, processes, limit_s), console, advice)


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
