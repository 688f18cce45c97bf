"""Full hours in which a product that sells had no stock, and an estimate of what was not sold in each."""

from collections.abc import Iterator
from typing import NamedTuple

from audit.reference.arithmetic import HOUR_MS

PACE_HOURS = 28 * 24
"""How fast a product sells is measured over so many hours before it was sold out."""

LONGEST_HOURS = 28 * 24
"""After so many hours without stock, a product is given up."""

FEWEST_HOURS_IN_STOCK = 24
"""With fewer hours in stock before, it is not known how fast a product sells."""


class Sale(NamedTuple):
    """Units of a product and their price after discounts; both are below 0 for a cancelled line."""

    at_ms: int
    units: int
    amount: int


class StockLevel(NamedTuple):
    """The units of a product that can be bought from a moment on."""

    at_ms: int
    available: int


class HourWithoutStock(NamedTuple):
    """A full hour, such as 14:00, at which a product had no stock."""

    starts_ms: int
    units_lost: int
    amount_lost: int


def outages(levels: list[StockLevel], sales: list[Sale], now_ms: int) -> Iterator[HourWithoutStock]:
    """Yield the hours without stock of a product, up to now. `levels` are in the order of their versions."""
    stocked, empty = _hours(levels, _hour_from(now_ms))
    first_hour = _hour_from(levels[0].at_ms)
    for outage in empty:
        started = outage[0]
        paced_from = max(started - PACE_HOURS, first_hour)
        before = [sale for sale in sales if paced_from <= sale.at_ms // HOUR_MS < started]
        units, amount = sum(sale.units for sale in before), sum(sale.amount for sale in before)
        if units <= 0:
            continue  # it does not sell
        hours_in_stock = len(stocked.intersection(range(paced_from, started)))
        if hours_in_stock < FEWEST_HOURS_IN_STOCK:
            units = amount = 0
        for passed, hour in enumerate(outage[:LONGEST_HOURS], start=1):
            yield HourWithoutStock(
                hour * HOUR_MS,
                _lost(units, passed, hours_in_stock) - _lost(units, passed - 1, hours_in_stock),
                _lost(amount, passed, hours_in_stock) - _lost(amount, passed - 1, hours_in_stock),
            )


def _hours(levels: list[StockLevel], end: int) -> tuple[set[int], list[list[int]]]:
    """Return the numbers of the full hours with stock, and those without, in runs; `end` is excluded."""
    stocked: set[int] = set()
    empty: list[list[int]] = []
    hour = _hour_from(levels[0].at_ms)
    was_empty = False
    for number, level in enumerate(levels):
        is_last = number + 1 == len(levels)
        until = max(hour, end if is_last else _hour_from(levels[number + 1].at_ms))
        if level.available > 0:
            stocked.update(range(hour, until))
        elif was_empty:
            empty[-1] += range(hour, until)
        else:
            empty.append(list(range(hour, until)))
        was_empty = level.available == 0
        hour = until
    return stocked, [run for run in empty if run]


def _lost(sold: int, hours: int, hours_in_stock: int) -> int:
    """Return what would be sold in some hours at the pace of the hours in stock, rounded half up."""
    return (2 * sold * hours + hours_in_stock) // (2 * hours_in_stock) if sold else 0


def _hour_from(moment_ms: int) -> int:
    """Return the number of the first full hour at or after a moment."""
    return -(-moment_ms // HOUR_MS)
