"""The best k of one row of scores, most of which are never looked at one by one."""

import numpy as np

from jobs.recommenders.compiled import compiled
from jobs.recommenders.heap import push_to_heap, sort_heap
from jobs.recommenders.histories import Floats
from jobs.recommenders.vocabulary import Codes

BLOCK = 64
"""Neighbouring scores of which the largest is found by vector instructions."""

GROUPS = 4
"""Groups of blocks for each of the k best."""

EMPTY_BLOCK = -(2**31)
"""What is below the top of every block."""


@compiled
def block_max(bits: Codes) -> np.int32:
    """The largest `sortable_bits` of scores whose bits are given as int32 [at most `BLOCK`].

    Of integers a compiler may look at many at once, whereas floats may be NaN.
    """
    largest = np.int32(EMPTY_BLOCK)
    for at in range(len(bits)):
        largest = max(sortable_bits(bits[at]), largest)
    return largest


@compiled
def sortable_bits(bits: np.int32) -> np.int32:
    """An int32 for the bits of a float32: the larger, the larger the float; -0.0 is next below 0.0.

    Positive floats are ordered as their bits are, negative ones the other way round.
    """
    return np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@compiled
def select(scores: Floats, tops: Codes, floor: float, prior: Floats, products: Codes, best: Floats) -> int:
    """Write the k best scores above `floor` to `products` int32 [k] and `best` float32 [k]; return how many.

    The lists are ordered best first. `scores` and `prior` are float32 [products]; `prior` breaks ties. `tops`
    int32 [blocks] holds the `block_max` of each block, or `EMPTY_BLOCK` if no score of it is above the floor.
    """
    size, bits, bound = 0, scores.view(np.int32), _lower_bound(tops, len(best))
    for block in range(len(tops)):
        if tops[block] < bound or tops[block] == EMPTY_BLOCK:
            continue
        for product in range(block * BLOCK, min((block + 1) * BLOCK, len(scores))):
            score = scores[product]
            if sortable_bits(bits[product]) < bound or score <= floor:
                continue
            # Of the many that have no score at all, few are more popular than the worst that is listed.
            if size == len(best) and score == best[0] and prior[product] < prior[products[0]]:
                continue
            size = push_to_heap(best, products, size, score, product, prior)
    sort_heap(best, products, size, prior)
    return size


@compiled
def _lower_bound(tops: Codes, k: int) -> int:
    """An `sortable_bits` that k of the scores have at least, so that nothing below it is among the k best.

    Each top is of another score. The blocks go round into groups, and the k-th largest of the largest of each
    group is near the k-th largest of all.
    """
    count = min(len(tops), GROUPS * k)
    if count <= k:
        return EMPTY_BLOCK
    groups = tops[:count].copy()
    for start in range(count, len(tops), count):
        others = tops[start : start + count]
        for at in range(len(others)):
            groups[at] = max(others[at], groups[at])
    bound: int = np.partition(groups, count - k)[count - k]
    return bound - 1 if bound == 0 else bound  # -0.0 is as good as 0.0
