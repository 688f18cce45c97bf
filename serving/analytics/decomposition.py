"""Explains the change of a sum between two periods by parts that add up to it exactly. Pure.

Two factors, the units and the average price of each product, by Bennet (1920): an effect is the change of
one factor, weighted with the mean of the other. More factors by LMDI-I (Ang 2005): an effect is the logarithm
of a factor's ratio, weighted with the logarithmic mean of the sum.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Sold:
    """What was sold of a product: units, and what they are worth in the smallest unit of the currency."""

    units: int
    value: int


NOTHING = Sold(0, 0)


@dataclass(frozen=True, slots=True)
class Effects:
    """What a change is made of, in the smallest unit of the currency. The fields add up to the change.

    `only_now` and `only_before` belong to products that were sold in one period only. Of the others,
    `price` is the effect of their average prices, `quantity` that of more or fewer units at the average
    price of all of them (the mean of both periods' averages), and `mix` that of units that moved to
    dearer or cheaper products: it is 0 if the units of every product grow in the same proportion.
    """

    only_now: int
    only_before: int
    price: int
    quantity: int
    mix: int


def effects_by_product(before: Mapping[str, Sold], now: Mapping[str, Sold]) -> dict[str, Effects]:
    """Return the effects of each product, which add up to its change exactly."""
    products = sorted({*before, *now})
    both = [name for name in products if _is_sold(before.get(name)) and _is_sold(now.get(name))]
    mean_price = (
        _average_price([before[name] for name in both]) + _average_price([now[name] for name in both])
    ) / 2
    by_product = {}
    for name in products:
        then, later = before.get(name, NOTHING), now.get(name, NOTHING)
        if name in both:
            by_product[name] = Effects(0, 0, *round_to_sum(_bennet(then, later, mean_price)))
        elif _is_sold(then):
            by_product[name] = Effects(0, later.value - then.value, 0, 0, 0)
        else:
            by_product[name] = Effects(later.value - then.value, 0, 0, 0, 0)
    return by_product


def effects_of_factors(before: Sequence[float], now: Sequence[float], change: int) -> list[int]:
    """Return the effect of each factor on a product of factors; the effects add up to `change`.

    Raises:
        ValueError: a factor is not above 0 in both periods, so that no factor alone explains the change.
    """
    if any(factor <= 0 for factor in (*before, *now)):
        raise ValueError("a factor is not above 0")
    first, last = math.prod(before), math.prod(now)
    weight = last if math.isclose(first, last) else (last - first) / (math.log(last) - math.log(first))
    effects = [weight * math.log(later / then) for then, later in zip(before, now, strict=True)]
    # Floats leave a residual far below a cent, which the last factor gets.
    parts = [Fraction(effect) for effect in effects[:-1]]
    return round_to_sum([*parts, change - sum(parts, Fraction(0))])


def round_to_sum(parts: Sequence[Fraction]) -> list[int]:
    """Return the parts as integers with the same sum, which must be an integer.

    Each is rounded down; the largest remainders are then rounded up, the first ones among equals.
    """
    rounded = [math.floor(part) for part in parts]
    missing = int(sum(parts)) - sum(rounded)
    by_remainder = sorted(range(len(parts)), key=lambda place: rounded[place] - parts[place])
    for place in by_remainder[:missing]:
        rounded[place] += 1
    return rounded


def _is_sold(sold: Sold | None) -> bool:
    return sold is not None and sold.units > 0


def _average_price(sales: Sequence[Sold]) -> Fraction:
    units = sum(sold.units for sold in sales)
    return Fraction(sum(sold.value for sold in sales), units) if units else Fraction(0)


def _bennet(then: Sold, later: Sold, mean_price: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """Return the effects of price, quantity and mix of a product that was sold in both periods."""
    price_then, price_later = Fraction(then.value, then.units), Fraction(later.value, later.units)
    more_units = later.units - then.units
    price = Fraction(then.units + later.units, 2) * (price_later - price_then)
    volume = (price_then + price_later) / 2 * more_units
    return price, mean_price * more_units, volume - mean_price * more_units
