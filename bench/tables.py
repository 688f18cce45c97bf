"""Prints what was measured: tables, notes below them, and quantiles as cells of a row."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from bench.durations import Quantiles


def print_table(
    console: Console,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str | None = None,
    caption: str | None = None,
) -> None:
    """Print a table with these headings."""
    table = Table(*heads, title=title, caption=caption)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def print_notes(console: Console, notes: Iterable[str]) -> None:
    """Print sentences, each as an entry of a list."""
    for note in notes:
        console.print(f"• {note}", highlight=False, markup=False, soft_wrap=True)


def times(quantiles: Quantiles | None, *names: str) -> list[str]:
    """Return the quantiles with these names, such as `p50_ms`; dashes if nothing was measured."""
    return [f"{getattr(quantiles, name):,.0f}" if quantiles else "–" for name in names]


def count_and_times(quantiles: Quantiles | None, *names: str) -> list[str]:
    """Return how many durations were measured, and `times`."""
    return [f"{quantiles.count:,}" if quantiles else "0", *times(quantiles, *names)]
