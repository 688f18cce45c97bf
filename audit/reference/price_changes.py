"""Changes of the price of an offer, and how the units sold followed them. Pure."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from audit.reference.arithmetic import DAY_MS, half_up

LONGEST_DAYS, SHORTEST_DAYS = 14, 7
"""So many whole days before a change are compared with as many after it."""

LEAST_CHANGE = Fraction(3, 100)
"""A smaller change relative to the price before is left out."""

FEWEST_UNITS = 10
"""With fewer units in all the days, what follows from a change is not known."""

Price = tuple[str, int]
"""Currency and amount."""

Sales = Sequence[tuple[int, int]]
"""Times and units; below 0 for what was cancelled."""


class Turn(NamedTuple):
    """The moment from which an offer has a price; None from which it is not for sale. Moments are minutes."""

    at_ms: int
    price: Price | None


class MeasuredChange(NamedTuple):
    """`over_ms` is the end of the days after it, `elasticity` has ten-thousandths."""

    over_ms: int
    elasticity: int


def measured_changes(
    turns: Sequence[Turn], sales: Sales, currency: str, now_ms: int
) -> Iterator[MeasuredChange]:
    """Yield the changes of a price that can be measured. `turns` are in the order of time."""
    never = Turn(2**62, None)
    for before, after, following in zip(turns, turns[1:], [*turns[2:], never], strict=False):
        if before.price is None or after.price is None or {before.price[0], after.price[0]} != {currency}:
            continue
        old, new = before.price[1], after.price[1]
        steady_ms = min(after.at_ms - before.at_ms, following.at_ms - after.at_ms)
        window_ms = min(LONGEST_DAYS, steady_ms // DAY_MS) * DAY_MS
        over_ms = after.at_ms + window_ms
        if old <= 0 or abs(Fraction(new - old, old)) < LEAST_CHANGE:
            continue
        if window_ms < SHORTEST_DAYS * DAY_MS or over_ms > now_ms:
            continue
        units = _units(sales, after.at_ms - window_ms, after.at_ms), _units(sales, after.at_ms, over_ms)
        if sum(units) >= FEWEST_UNITS:
            yield MeasuredChange(over_ms, _elasticity(*units, old, new))


def _units(sales: Sales, first_ms: int, end_ms: int) -> int:
    return sum(units for at_ms, units in sales if first_ms <= at_ms < end_ms)


def _elasticity(units_before: int, units_after: int, old: int, new: int) -> int:
    """Return the arc elasticity by the midpoint method, in ten-thousandths, rounded half up."""
    of_units = Fraction(units_after - units_before, units_after + units_before)
    elasticity = of_units / Fraction(new - old, new + old)
    return half_up(elasticity.numerator * 10_000, elasticity.denominator)
