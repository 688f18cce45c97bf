"""Renders the demo's screen: traffic, today's figures, response times, memory and warnings."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from common.money import format_money
from local.demo.figures import DayFigures
from local.demo.process_memory import ProcessMemory
from local.demo.simulator_status import SimulatorStatus
from local.supervision.supervisor import NAME as SUPERVISOR
from local.table import duration

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
    title = f"[bold]Souk[/], live for {duration(snapshot.live_s)}: {escape(address)}"
    return Panel(Group(*lines), title=title, title_align="left")


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
