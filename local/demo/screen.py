"""The demo's one screen: traffic, the shop's day, answer times, memory, and what goes wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from common.money import format_money
from local.demo.memory import Process
from local.demo.shop import Day
from local.demo.traffic import Traffic
from local.supervision.supervisor import NAME as SUPERVISOR
from local.table import duration

STALE = timedelta(seconds=10)
"""Figures that are further behind are shown as a warning."""

MEMORY_COLUMNS = 3
WORST_ERRORS = 3
"""How many kinds of errors are named."""

WHAT_TO_DO = {SUPERVISOR: ": `./souk up` in another terminal starts it again"}
"""Of what does not come back by itself. A live simulator bears it that all parts start again."""

NOTHING = "–"


@dataclass(frozen=True)
class Seen:
    """All that the screen shows at one moment."""

    traffic: Traffic
    day: Day | None
    processes: list[Process]
    live_s: float
    """How long the demo has been live."""
    unanswered: list[str]
    """What got no answer just now, and why."""


def screen(seen: Seen, address: str, locale: str, advice: str) -> Panel:
    """The whole screen: 80 columns, about 20 lines."""
    columns = Table.grid(padding=(0, 1, 0, 0))
    columns.add_row(_traffic(seen.traffic), _day(seen.day, locale), _endpoints(seen.traffic))
    lines: list[RenderableType] = [columns, "", _memory(seen.processes), ""]
    lines += [Text(trouble, "red") for trouble in troubles(seen)]
    lines.append(Text(advice, "dim"))
    title = f"[bold]Souk[/], live for {duration(seen.live_s)}: {escape(address)}"
    return Panel(Group(*lines), title=title, title_align="left")


def line(seen: Seen, locale: str) -> str:
    """The same in one line, for where there is no terminal."""
    traffic, day = seen.traffic, seen.day
    words = [
        f"live {duration(seen.live_s)}",
        f"{traffic.rate:,.0f} events/s",
        *(f"{count:,} orders {what}" for what, count in traffic.orders.items()),
        *(f"{name} p99 {latency.p99_ms:.0f} ms" for name, latency in traffic.endpoints.items()),
        *(_fresh(day, locale) if day else []),
        f"{_megabytes(process.memory_bytes for process in seen.processes)} MB",
        f"{sum(traffic.errors.values()):,} errors",
    ]
    return "; ".join([", ".join(words), *troubles(seen)])


def _fresh(day: Day, locale: str) -> list[str]:
    return [
        f"revenue today {_revenue(day, locale)}",
        f"complete to {_ago(day.behind)}",
        f"views known to {_ago(day.views_behind)}",
    ]


def troubles(seen: Seen) -> list[str]:
    """Everything that is not as it should be, a line each."""
    traffic = seen.traffic
    worst = sorted(traffic.errors.items(), key=lambda error: -error[1])[:WORST_ERRORS]
    return [
        *(
            [f"shoppers slowed to {traffic.tempo:.0%} of the rate: {traffic.slowed_because}"]
            if traffic.tempo < 1
            else []
        ),
        *(f"{count:,} × {kind}" for kind, count in worst),
        *(
            f"{process.name} is not running{WHAT_TO_DO.get(process.name, '')}"
            for process in seen.processes
            if not process.alive
        ),
        *(
            f"{process.name} was restarted ({process.restarts} ×)"
            for process in seen.processes
            if process.restarts
        ),
        *seen.unanswered,
    ]


def _traffic(traffic: Traffic) -> Table:
    table = _table("traffic", "")
    table.add_row("events/s", f"{traffic.rate:,.0f}")
    table.add_row("events", f"{traffic.sent:,}")
    for what, count in traffic.orders.items():
        table.add_row(what, f"{count:,}")
    errors = sum(traffic.errors.values())
    table.add_row("errors", Text(f"{errors:,}", "red" if errors else ""))
    return table


def _day(day: Day | None, locale: str) -> Table:
    table = _table("today", "")
    table.add_row("revenue", _revenue(day, locale) if day else NOTHING)
    table.add_row("orders", f"{day.orders:,}" if day else NOTHING)
    table.add_row("cancelled", f"{day.cancelled:,}" if day else NOTHING)
    table.add_row("sellers", f"{day.sellers:,}" if day else NOTHING)
    table.add_row("complete to", _freshness(day.behind if day else None))
    table.add_row("views known to", _freshness(day.views_behind if day else None))
    return table


def _endpoints(traffic: Traffic) -> Table:
    table = _table("waited, ms", "p50", "p99")
    for name, latency in traffic.endpoints.items():
        table.add_row(name, f"{latency.p50_ms:,.1f}", f"{latency.p99_ms:,.1f}")
    if not traffic.endpoints:
        table.add_row(NOTHING, NOTHING, NOTHING)
    return table


def _memory(processes: list[Process]) -> Table:
    """Name, megabytes, and growth since the demo went live, of each process: several to a row."""
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


def _revenue(day: Day, locale: str) -> str:
    return format_money(day.revenue_minor, day.currency, locale)


def _freshness(behind: timedelta | None) -> Text:
    late = behind is None or behind > STALE
    return Text(_ago(behind), "yellow" if late else "")


def _ago(behind: timedelta | None) -> str:
    return f"{max(behind.total_seconds(), 0):.1f} s ago" if behind is not None else NOTHING


def _megabytes(counts: Iterable[int]) -> str:
    return f"{sum(counts) / 2**20:,.0f}"


def _growth(counts: Iterable[int]) -> str:
    return f"{round(sum(counts) / 2**20):+,}"
