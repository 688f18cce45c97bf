"""The age of events and the trend of products, relative to the length of the log.

Relative ages make settings mean the same in a log of one day and in a log of one year.
"""

import numpy as np
from numpy.typing import NDArray

from recommenders.histories import Floats
from recommenders.interactions import Interactions

NEWEST = 0.1
"""The newest share of the log's length, in which events count as recent."""

PRIOR = 10.0
"""Pseudo-events that pull the trend of products with few events towards 1."""


def relative_ages(log: Interactions) -> NDArray[np.float64]:
    """Return ages from 0 (newest event) to 1 (oldest): float64 [events]; without times, by row number.

    If the order of the events is not known, all ages are 0.
    """
    if not log.chronological:
        return np.zeros(len(log))
    if log.times is None:
        return 1.0 - np.arange(1, len(log) + 1) / len(log)
    return np.asarray(log.ages / max(log.ages.max(), 1e-9))


def trend_ratios(log: Interactions) -> Floats:
    """Return the recent events of each product relative to the expected number, float32 [products].

    The ratio is (n'(i) + `PRIOR`) / (n(i) · N' / N + `PRIOR`), where product i has n(i) of all N events and
    n'(i) of the N' recent ones. It is 1 for all products if the log has neither times nor visits. Source: the
    shrunk ratio of DuMouchel, Bayesian Data Mining in Large Frequency Tables, The American Statistician 1999.
    """
    if log.times is None and log.sessions is None:
        return np.ones(log.product_count, np.float32)
    is_recent = relative_ages(log) <= NEWEST
    count = np.bincount(log.products, minlength=log.product_count)
    recent_count = np.bincount(log.products[is_recent], minlength=log.product_count)
    return np.asarray((recent_count + PRIOR) / (count * is_recent.mean() + PRIOR), np.float32)
