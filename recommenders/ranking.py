"""Selects the k best products of each row of scores, with deterministic tie-breaking.

A heap holds the best products so far. Blocks of scores that can't be among the best are skipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommenders.compiled import compiled
from recommenders.histories import Codes, Floats, Histories

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


@compiled
def push_to_heap(best: Floats, products: Codes, size: int, score: float, product: int, prior: Floats) -> int:
    """Push a product onto a heap of the k best, with the worst of them on top. Returns the new size.

    `best` float32 [k] and `products` int32 [k] hold the heap in their first `size` places. If the heap is
    full, the worst product is dropped, which may be the new one.
    """
    if size == len(best):
        if _is_worse(best[0], products[0], score, product, prior):
            _sift(best, products, size, score, product, prior)
        return size
    at = size
    while at > 0:
        up = (at - 1) // 2
        if not _is_worse(score, product, best[up], products[up], prior):
            break
        best[at], products[at] = best[up], products[up]
        at = up
    best[at], products[at] = score, product
    return size + 1


@compiled
def sort_heap(best: Floats, products: Codes, size: int, prior: Floats) -> None:
    """Sort a heap built by `push_to_heap` in place, best first."""
    for end in range(size - 1, 0, -1):
        score, product = best[end], products[end]
        best[end], products[end] = best[0], products[0]
        _sift(best, products, end, score, product, prior)


@compiled
def _sift(best: Floats, products: Codes, size: int, score: float, product: int, prior: Floats) -> None:
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = below + 1
        if other < size and _is_worse(best[other], products[other], best[below], products[below], prior):
            below = other
        if not _is_worse(best[below], products[below], score, product, prior):
            break
        best[at], products[at] = best[below], products[below]
        at = below
    best[at], products[at] = score, product


@compiled
def _is_worse(score: float, product: int, other_score: float, other: int, prior: Floats) -> bool:
    if score != other_score:
        return bool(score < other_score)
    if prior[product] != prior[other]:
        return bool(prior[product] < prior[other])
    return product > other


PADDING = -1
"""Fills up lists that have fewer than k products. The score of padding is minus infinity."""


@dataclass(frozen=True)
class RankedLists:
    """Lists of products, best first: `products` int32 [rows, k], `scores` float32 [rows, k].

    A list with fewer than k products ends with `PADDING`.
    """

    products: Codes
    scores: Floats

    @staticmethod
    def concatenate(parts: "Sequence[RankedLists]") -> "RankedLists":
        """Return the rows of all parts, in order. Needs at least one part."""
        products, scores = zip(*((each.products, each.scores) for each in parts), strict=True)
        return RankedLists(np.concatenate(products), np.concatenate(scores))

    @staticmethod
    def empty(rows: int, k: int) -> "RankedLists":
        """Return lists that hold only padding."""
        return RankedLists(np.full((rows, k), PADDING, np.int32), np.full((rows, k), -np.inf, np.float32))


def top_k(scores: Floats, k: int, prior: Floats) -> RankedLists:
    """Return the k best products of each row of `scores`, float32 [rows, products].

    Equal scores are ordered by `prior`, float32 [products], then by code. Products with the score minus
    infinity are never listed.
    """
    ranked = RankedLists.empty(len(scores), k)
    if k:
        _select(np.asarray(scores, np.float32), prior, ranked.products, ranked.scores)
    return ranked


def exclude(scores: Floats, excluded: Histories) -> None:
    """Set the scores of each row's excluded products to minus infinity, in place."""
    scores[excluded.rows, excluded.products] = -np.inf


@compiled
def _select(scores: Floats, prior: Floats, products: Codes, best: Floats) -> None:
    tops = np.empty(-(-scores.shape[1] // BLOCK), np.int32)
    for row in range(len(scores)):
        bits = scores[row].view(np.int32)
        for block in range(len(tops)):
            tops[block] = block_max(bits[block * BLOCK : (block + 1) * BLOCK])
        select(scores[row], tops, -np.inf, prior, products[row], best[row])
