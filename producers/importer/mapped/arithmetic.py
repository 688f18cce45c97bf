"""Explains the totals of a table: which further amounts lie between what was sold and a column's total."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import NDArray

from common.money import to_major
from producers.importer.columns import first_by

Amounts = NDArray[np.int64]
"""One amount for each order (or for each row), in units of 10^-`DIGITS`."""

DIGITS = 6
"""Decimals of the amounts that are compared."""

ENOUGH = 0.95
"""The share of orders that must agree. The others may have been edited or partly refunded since."""

_RATES_ENOUGH = 0.8
"""The share of taxes that must have a common rate."""

_MAX_TERMS = 5
_MAX_SUMS = 6_000
_SAMPLE = 400
"""Combinations of terms that are tried, and orders on which they are."""


@dataclass(frozen=True)
class Term:
    """The amounts of a column, already with their sign in the total. Of terms of one column, one counts.

    `of` is `order`, `line` or `unit`. `cost` says how far-fetched the term is: of two explanations, the one
    that costs less is chosen.
    """

    column: str
    role: str
    of: str
    amounts: Amounts
    is_negated: bool = False
    cost: int = 1


@dataclass(frozen=True)
class Explanation:
    """The terms that turn what was sold into the total. `agrees` has the orders that are compared."""

    terms: tuple[Term, ...]
    agrees: NDArray[np.bool_]

    @property
    def share(self) -> float:
        """The share of orders that agree to the smallest coin."""
        return float(self.agrees.mean()) if len(self.agrees) else 0.0

    @property
    def cost(self) -> int:
        """How far-fetched the explanation is."""
        return sum(term.cost for term in self.terms)


class Explainer:
    """Tries all sums of a few terms against differences. `coin` is the smallest coin."""

    def __init__(self, terms: Sequence[Term], orders: int, coin: int) -> None:
        self._tolerance = coin // 2
        useful = sorted((term for term in terms if term.amounts.any()), key=lambda each: each.cost)
        possible = (
            chosen
            for size in range(_MAX_TERMS + 1)
            for chosen in combinations(useful, size)
            if len({term.column for term in chosen}) == size
        )
        self._sums = sorted(
            islice(possible, _MAX_SUMS), key=lambda chosen: (sum(term.cost for term in chosen), len(chosen))
        )
        self._sample = np.unique(np.linspace(0, max(orders - 1, 0), min(_SAMPLE, orders), dtype=np.int64))
        nothing = np.zeros(len(self._sample), np.int64)
        self._matrix = np.stack(
            [sum((term.amounts[self._sample] for term in chosen), nothing) for chosen in self._sums]
        )

    def explain(self, difference: Amounts, known: NDArray[np.bool_]) -> Explanation:
        """Return the cheapest sum that equals the difference in most of the `known` orders."""
        shown = known[self._sample]
        found = self._matrix[:, shown] - difference[self._sample][shown]
        counts = (np.abs(found) <= self._tolerance).sum(axis=1)
        best = self._sums[int(np.argmax(counts >= counts.max() - len(self._sample) // 200))]
        rest = difference - sum((term.amounts for term in best), np.zeros_like(difference))
        return Explanation(best, np.abs(rest[known]) <= self._tolerance)


def coin_of(currency: str) -> int:
    """Return the smallest coin of a currency."""
    return int(to_major(1, currency).scaleb(DIGITS))


def is_same_in_orders(order: NDArray[np.int64], values: Amounts, given: NDArray[np.bool_]) -> bool:
    """Whether the rows of each order have one value, or none: then it may be that of the whole order."""
    rows = np.flatnonzero(given & (order >= 0))
    if not len(rows):
        return False
    first = first_by(order, int(order.max()) + 1, values, given, 0)
    return bool((values[rows] == first[order[rows]]).all())


def is_inside_prices(taxes: NDArray[np.int64], prices: NDArray[np.int64], coin: int) -> bool | None:
    """Return whether the taxes are part of the prices; None if the rates don't tell.

    A tax of 20 % is 1/6 of a price that includes it: no country has that rate. So the reading with whole or
    half per cents is the right one, if only one reading has them.
    """
    if len(taxes) < 3:
        return None
    outside = _has_rates(taxes, prices, coin) >= _RATES_ENOUGH
    inside = _has_rates(taxes, prices - taxes, coin) >= _RATES_ENOUGH
    return None if outside == inside else inside


def _has_rates(taxes: NDArray[np.int64], nets: NDArray[np.int64], coin: int) -> float:
    """Return the share of taxes that are one of the few commonest rates of their net, in half per cents."""
    found = nets > 0
    if not found.any():
        return 0.0
    taxes, nets = taxes[found], nets[found]
    rates = np.round(taxes / nets * 200).astype(np.int64)
    common = [rate for rate in np.unique(rates) if 0 < rate <= 60 and (rates == rate).mean() > 0.15]
    differences = np.abs(taxes[:, None] - nets[:, None] * np.array(common, np.int64) / 200)
    return float((differences <= coin * 0.51 + 1).any(axis=1).mean())
