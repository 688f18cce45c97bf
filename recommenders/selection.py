"""Selects the best k of one row of scores. Skips blocks of scores that can't be among the best."""

import numpy as np

from recommenders.compiled import compiled
from recommenders.heap import push_to_heap, sort_heap
from recommenders.histories import Floats
from recommenders.vocabulary import Codes

BLOCK = 64
"""Consecutive scores that form one block. Vector instructions find the largest score of a block."""

GROUPS = 4
"""`_lower_bound` uses this many groups of blocks per result."""

EMPTY_BLOCK = -(2**31)
"""The top of a block without scores. It is below the top of every other block."""


@compiled
def block_max(bits: Codes) -> np.int32:
    """Return the largest `sortable_bits` of scores, whose bits are given as int32 [at most `BLOCK`].

    The compiler can vectorise the maximum of integers, but not that of floats, which may be NaN.
    """
    largest = np.int32(EMPTY_BLOCK)
    for at in range(len(bits)):
        largest = max(sortable_bits(bits[at]), largest)
    return largest


@compiled
def sortable_bits(bits: np.int32) -> np.int32:
    """Map the bits of a float32 to an int32 with the same order; -0.0 comes directly below 0.0.

    The bits of positive floats are already in order; the order of negative floats is reversed.
    """
    return np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@compiled
def select(scores: Floats, tops: Codes, floor: float, prior: Floats, products: Codes, best: Floats) -> int:
    """Write the k best scores above `floor` to `products` int32 [k] and `best` float32 [k]; return how many.

    The results are ordered best first. `scores` and `prior` are float32 [products]; `prior` breaks ties.
    `tops`, int32 [blocks], holds the `block_max` of each block, or `EMPTY_BLOCK` if the block has no score
    above the floor.
    """
    size, bits, bound = 0, scores.view(np.int32), _lower_bound(tops, len(best))
    for block in range(len(tops)):
        if tops[block] < bound or tops[block] == EMPTY_BLOCK:
            continue
        for product in range(block * BLOCK, min((block + 1) * BLOCK, len(scores))):
            score = scores[product]
            if sortable_bits(bits[product]) < bound or score <= floor:
                continue
            # Cheap test before the heap: most products tie at the same low score and lose on `prior`.
            if size == len(best) and score == best[0] and prior[product] < prior[products[0]]:
                continue
            size = push_to_heap(best, products, size, score, product, prior)
    sort_heap(best, products, size, prior)
    return size


@compiled
def _lower_bound(tops: Codes, k: int) -> int:
    """Return a lower bound on the `sortable_bits` of the k best scores: at least k scores reach it.

    Each top is the score of another product. Blocks are assigned to groups round-robin; the k-th largest of
    the groups' maxima is close to the k-th largest of all scores.
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
    return bound - 1 if bound == 0 else bound  # -0.0 equals 0.0
