"""Says by its rate whether a tax is in the prices, where no total does."""

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 0.8


def is_inside_prices(taxes: NDArray[np.int64], prices: NDArray[np.int64], coin: int) -> bool | None:
    """Return whether the taxes are part of the prices; None if the rates don't tell.

    A tax of 20 % is 1/6 of a price that includes it: no country has that rate. So the reading with whole or
    half per cents is the right one, if only one reading has them.
    """
    if len(taxes) < 3:
        return None
    outside = _has_rates(taxes, prices, coin)
    inside = _has_rates(taxes, prices - taxes, coin)
    if (outside >= _ENOUGH) == (inside >= _ENOUGH):
        return None
    return bool(inside >= _ENOUGH)


def _has_rates(taxes: NDArray[np.int64], nets: NDArray[np.int64], coin: int) -> float:
    """Return the share of taxes that are one of the few commonest rates, in halves of a per cent, of "
    "their net."""
    found = nets > 0
    if not found.any():
        return 0.0
    taxes, nets = taxes[found], nets[found]
    rates = np.round(taxes / nets * 200).astype(np.int64)
    common = [rate for rate in np.unique(rates) if 0 < rate <= 60 and (rates == rate).mean() > 0.15]
    exact = np.zeros(len(taxes), bool)
    for rate in common:
        exact |= np.abs(taxes - nets * rate / 200) <= coin * 0.51 + 1
    return float(exact.mean())
