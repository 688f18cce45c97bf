"""The best k of one row of scores, most of which are never looked at one by one."""

import numpy as np

from jobs.recommenders.compiled import compiled
from jobs.recommenders.heap import offer, unwind
from jobs.recommenders.histories import Floats
from jobs.recommenders.vocabulary import Codes

BLOCK = 64
"""Neighbouring scores of which the largest is found by vector instructions."""

GROUPS = 4
"""Groups of blocks for each of the k best."""

LEAST = -(2**31)
"""What is below the top of every block."""


@compiled
def top(bits: Codes) -> np.int32:
    """The largest `order` of scores whose bits are given as int32 [at most `BLOCK`].

    Of integers a compiler may look at many at once, whereas floats may be NaN.
    """
    largest = np.int32(LEAST)
    for at in range(len(bits)):
        largest = max(order(bits[at]), largest)
    return largest


@compiled
def order(bits: np.int32) -> np.int32:
    """An int32 for the bits of a float32: the larger, the larger the float; -0.0 is next below 0.0.

    Positive floats are ordered as their bits are, negative ones the other way round.
    """
    return np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@compiled
def select(scores: Floats, tops: Codes, floor: float, prior: Floats, products: Codes, best: Floats) -> int:
    """Fill `products` int32 [k] and `best` float32 [k] with the k best above `floor`, best first; how many.

    `scores` and `prior` are float32 [products], the latter for ties; `tops` int32 [blocks] has the `top` of
    each block, or `LEAST` where nothing is above the floor.
    """
    size, bits, enough = 0, scores.view(np.int32), _enough(tops, len(best))
    for block in range(len(tops)):
        if tops[block] < enough or tops[block] == LEAST:
            continue
        for product in range(block * BLOCK, min((block + 1) * BLOCK, len(scores))):
            score = scores[product]
            if order(bits[product]) < enough or score <= floor:
                continue
            # Of the many that have no score at all, few are more popular than the worst that is listed.
            if size == len(best) and score == best[0] and prior[product] < prior[products[0]]:
                continue
            size = offer(best, products, size, score, product, prior)
    unwind(best, products, size, prior)
    return size


@compiled
def _enough(tops: Codes, k: int) -> int:
    """An `order` that k of the scores have at least, so that nothing below it is among the k best.

    Each top is of another score. The blocks go round into groups, and the k-th largest of the largest of each
    group is near the k-th largest of all.
    """
    count = min(len(tops), GROUPS * k)
    if count <= k:
        return LEAST
    groups = tops[:count].copy()
    for start in range(count, len(tops), count):
        others = tops[start : start + count]
        for at in range(len(others)):
            groups[at] = max(others[at], groups[at])
    enough: int = np.partition(groups, count - k)[count - k]
    return enough - 1 if enough == 0 else enough  # -0.0 is as good as 0.0
