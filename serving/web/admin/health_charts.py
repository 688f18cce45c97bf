"""The pictures of figures over days: a line with gaps where a day has no figure. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 56.0
"""The size of a picture, in units of its view box."""

MARGIN = 4.0


@dataclass(frozen=True, slots=True)
class LineChart:
    """The lines of a picture as points of SVG, a dot for each day without neighbours, and its zero line.

    `lowest` and `highest` are the bounds of the figures; None if no day has one.
    """

    lines: Sequence[str]
    dots: Sequence[tuple[float, float]]
    zero: float
    lowest: float | None
    highest: float | None


def line_chart(values: Sequence[float | None]) -> LineChart:
    """Return the picture of the figures of days, on an axis that has zero."""
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    bottom, top = min(0.0, low), max(0.0, high)
    span = (top - bottom) or 1.0

    def place(index: int, value: float) -> tuple[float, float]:
        x = MARGIN + index * (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
        return round(x, 1), round(HEIGHT - MARGIN - (value - bottom) / span * (HEIGHT - 2 * MARGIN), 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(place(index, value))
    return LineChart(
        [" ".join(f"{x},{y}" for x, y in run) for run in runs if len(run) > 1],
        [run[0] for run in runs if len(run) == 1],
        place(0, 0.0)[1],
        low if known else None,
        high if known else None,
    )
