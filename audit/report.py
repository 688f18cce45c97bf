"""Prints comparisons, a few lines each, or as JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape

from audit.comparison import ComparisonResult
from common.money import to_major

PRINTED_DIFFERENCES = 10
"""Differences printed of one comparison; the JSON has more."""

_STYLE = {"agree": "green", "differ": "bold red", "nothing to compare": "yellow", "not compared": "bold red"}
_WIDTH = max(map(len, _STYLE))
_INDENT = " " * (_WIDTH + 1)


def show(comparison: ComparisonResult, currency: str, console: Console) -> None:
    """Print one comparison: what was compared, how much, its totals and its first differences."""
    spec = comparison.spec
    style = _STYLE[comparison.verdict]
    console.print(
        f"[{style}]{comparison.verdict:<{_WIDTH}}[/] {spec.left} → {spec.right}  [bold]{escape(spec.what)}[/]"
        f"  {comparison.rows:,} {spec.unit}, {comparison.figures:,} figures"
        + (f", {comparison.explained:,} explained by dead letters" if comparison.explained else ""),
        highlight=False,
    )
    if comparison.totals:
        sums = (_total(name, left, right, currency) for name, (left, right) in comparison.totals.items())
        console.print(_INDENT + " · ".join(sums), style="dim", highlight=False)
    if comparison.unread:
        console.print(f"{_INDENT}{comparison.unread}", style="red", markup=False, highlight=False)
    for note in comparison.notes:
        console.print(f"{_INDENT}{note}", style="yellow", markup=False, highlight=False)
    for difference in comparison.differences[:PRINTED_DIFFERENCES]:
        sides = f"{spec.left} {difference.left}, {spec.right} {difference.right}"
        line = f"{difference.row} {difference.field}: {sides}"
        console.print(f"{_INDENT}{line}", style="red", markup=False, highlight=False)
    if comparison.difference_count > PRINTED_DIFFERENCES:
        console.print(f"{_INDENT}… {comparison.difference_count:,} differences in all", style="red")


def show_summary(comparisons: Iterable[ComparisonResult], console: Console) -> None:
    """Print the last line: how many differences in how many rows and figures."""
    found = list(comparisons)
    differences = sum(comparison.difference_count for comparison in found)
    rows = sum(comparison.rows for comparison in found)
    figures = sum(comparison.figures for comparison in found)
    empty = sum(comparison.verdict == "nothing to compare" for comparison in found)
    unread = sum(comparison.verdict == "not compared" for comparison in found)
    if not rows and not unread:
        console.print("nothing to compare: every store is empty. Start with `./souk replay`.", style="yellow")
        return
    console.print(
        f"{differences:,} differences in {len(found)} comparisons of {rows:,} rows and {figures:,} figures"
        + (f"; {empty} had nothing to compare" if empty else "")
        + (f"; {unread} could not be compared" if unread else ""),
        style="bold red" if differences or unread else "bold green",
        highlight=False,
    )


def as_json(comparisons: Iterable[ComparisonResult], settled: bool) -> str:
    """Return all comparisons as one JSON object."""
    found = list(comparisons)
    return json.dumps(
        {
            "differences": sum(comparison.difference_count for comparison in found),
            "rows": sum(comparison.rows for comparison in found),
            "figures": sum(comparison.figures for comparison in found),
            "settled": settled,
            "comparisons": [_plain(comparison) for comparison in found],
        },
        indent=2,
    )


def _plain(comparison: ComparisonResult) -> Mapping[str, Any]:
    plain = asdict(comparison)
    del plain["differing"]
    return {**plain.pop("spec"), "verdict": comparison.verdict, **plain}


def _total(name: str, left: int, right: int, currency: str) -> str:
    """Return a total for printing; sums of amounts (`…_minor`) are in the shop's currency."""

    def written(value: int) -> str:
        return f"{to_major(value, currency):,}" if name.endswith("_minor") else f"{value:,}"

    label = name.removesuffix("_minor")
    return f"{label} {written(left)}" if left == right else f"{label} {written(left)} ≠ {written(right)}"
