"""How lately things happened, relative to the length of a log: the same in a log of a day and of a year."""

import numpy as np
from numpy.typing import NDArray

from jobs.recommenders.histories import Floats
from jobs.recommenders.interactions import Interactions

NEWEST = 0.1
"""The share of the log's length in which the trend is counted."""

PRIOR = 10.0
"""Events that a product needs before its trend says much."""


def relative_ages(log: Interactions) -> NDArray[np.float64]:
    """0 for the newest event, 1 for the oldest: float64 [events]; without times, by the place in the log."""
    if log.times is None:
        return 1.0 - np.arange(1, len(log) + 1) / len(log)
    return np.asarray(log.ages / max(log.ages.max(), 1e-9))


def trend_ratios(log: Interactions) -> Floats:
    """(n'(i) + `PRIOR`) / (n(i) · N' / N + `PRIOR`): how often lately, of how often was to be expected.

    float32 [products], 1 where neither times nor visits tell what is new. n(i) of all N events and n'(i) of
    the N' newest are about product i. Source: the shrunk ratio of DuMouchel, Bayesian Data Mining in Large
    Frequency Tables, The American Statistician 1999.
    """
    if log.times is None and log.sessions is None:
        return np.ones(log.product_count, np.float32)
    newest = relative_ages(log) <= NEWEST
    count = np.bincount(log.products, minlength=log.product_count)
    lately = np.bincount(log.products[newest], minlength=log.product_count)
    return np.asarray((lately + PRIOR) / (count * newest.mean() + PRIOR), np.float32)
