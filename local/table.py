"""Prints tables and JSON for commands."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Column, Table

from local.status import Status

COLOURS = {"ready": "green", "starting": "yellow", "failing": "red", "stopped": "dim"}

FULL_WIDTH = 130
"""Width in characters of the table with all columns."""


def console() -> Console:
    """Return a console for standard output: as wide as the terminal, or `FULL_WIDTH` without one."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=FULL_WIDTH)


def print_table(
    headers: Sequence[str | Column], rows: Iterable[Iterable[str]], title: str | None = None
) -> None:
    """Print a table without lines to standard output."""
    shown = Table(*headers, box=None, pad_edge=False, title=title)
    for row in rows:
        shown.add_row(*row)
    console().print(shown)


def print_json(value: Any, option: int = 0) -> None:
    """Print JSON in one line. `option` is one of `orjson`."""
    print(orjson.dumps(value, option=option).decode())


def table(statuses: list[Status], width: int) -> Table:
    """Return a table with a row for each part and a total.

    If `width` is less than `FULL_WIDTH`, the columns `found` and `ports` are omitted.
    """
    full = width >= FULL_WIDTH
    shown = Table(box=None, pad_edge=False, header_style="bold", show_footer=True, footer_style="bold")
    total = size(sum(status.memory_bytes for status in statuses))
    for title in ("part", "state", *(("found", "ports") if full else ())):
        shown.add_column(title, "total" if title == "part" else "", no_wrap=True)
    for title in ("pid", "up", "restarts", "memory"):
        shown.add_column(title, total if title == "memory" else "", justify="right", no_wrap=True)
    shown.add_column("address", overflow="fold")
    for status in statuses:
        shown.add_row(
            status.name,
            f"[{COLOURS[status.state]}]{status.state}[/]",
            *((status.found, " ".join(map(str, status.ports))) if full else ()),
            str(status.pid or ""),
            duration(status.uptime_s) if status.uptime_s is not None else "",
            str(status.restarts or ""),
            size(status.memory_bytes) if status.memory_bytes else "",
            status.url,
        )
    return shown


def size(count: int) -> str:
    """Format bytes, such as `412 MB`."""
    return f"{count / 2**20:,.0f} MB"


def duration(seconds: float) -> str:
    """Format seconds, such as `45s`, `12m`, `3h05m`, `2d4h`."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if seconds < 60:
        return f"{seconds:.0f}s"
    if hours < 1:
        return f"{minutes}m"
    return f"{hours}h{minutes % 60:02d}m" if days < 1 else f"{days}d{hours % 24}h"
