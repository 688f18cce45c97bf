"""Rounds values half up: money to the smallest unit of the currency, other numbers to four decimals."""

from collections.abc import Sequence

Value = int | float | None
"""None: there is nothing of which the value could be made."""

MINUTE_MS = 60_000
QUARTER_HOUR_MS = 15 * MINUTE_MS
"""Every offset of a time zone is a multiple of it, and so is every part of the time."""

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def each(total: int, number: int) -> int | None:
    """Return how much of a total there is for each of some things, as an integer; None without a thing."""
    return half_up(total, number) if number > 0 else None


def ratio(part: int, whole: int) -> float | None:
    """Return part ÷ whole with four decimals; None if the whole is not above 0."""
    return half_up(part * 10_000, whole) / 10_000 if whole > 0 else None


def quantile(values: Sequence[int], percent: int) -> int | None:
    """Return the value at position ⌊percent · n⌋ of n values in ascending order; None of no value."""
    return sorted(values)[len(values) * percent // 100] if values else None


def quantile_hours(times_ms: Sequence[int], percent: int) -> float | None:
    """Return the time at position ⌊percent · n⌋ of n times in ascending order, in hours; None of no time."""
    time_ms = quantile(times_ms, percent)
    return None if time_ms is None else ratio(time_ms, HOUR_MS)


def minute(moment_ms: int) -> int:
    """Return the beginning of the minute of a moment."""
    return moment_ms // MINUTE_MS * MINUTE_MS


def half_up(numerator: int, denominator: int) -> int:
    """Return ⌊numerator ÷ denominator + ½⌋."""
    return (2 * numerator + denominator) // (2 * denominator)
