"""The best k of many scores, in a fixed order whatever the ties."""

from dataclasses import dataclass

import numpy as np

from jobs.recommenders.compiled import compiled
from jobs.recommenders.histories import Floats, Histories
from jobs.recommenders.vocabulary import Codes

NOTHING = -1
"""What a list that is too short is filled up with; its score is minus infinity."""


@dataclass(frozen=True)
class Ranked:
    """Lists of products, best first: `products` int32 [rows, k], `scores` float32 [rows, k].

    A list that has fewer products than k ends with `NOTHING`.
    """

    products: Codes
    scores: Floats

    @staticmethod
    def empty(rows: int, k: int) -> "Ranked":
        """Lists of nothing."""
        return Ranked(np.full((rows, k), NOTHING, np.int32), np.full((rows, k), -np.inf, np.float32))


def top_k(scores: Floats, k: int, prior: Floats) -> Ranked:
    """The k best products of each row of `scores`, float32 [rows, products].

    Equal scores are ordered by `prior`, float32 [products], then by code. Minus infinity is never listed.
    """
    ranked = Ranked.empty(len(scores), k)
    if k:
        _select(scores, prior, ranked.products, ranked.scores)
    return ranked


def exclude(scores: Floats, excluded: Histories) -> None:
    """Set the scores of these products of each row to minus infinity, in place."""
    scores[excluded.rows, excluded.products] = -np.inf


@compiled
def _select(scores: Floats, prior: Floats, products: Codes, best: Floats) -> None:
    for row in range(len(scores)):
        size, mine, listed, told = 0, scores[row], products[row], best[row]
        for product in range(len(mine)):
            score = mine[product]
            if score == -np.inf or (size == len(told) and score < told[0]):
                continue
            # Of the many that have no score at all, few are more popular than the worst that is listed.
            if size == len(told) and score == told[0] and prior[product] < prior[listed[0]]:
                continue
            size = offer(told, listed, size, score, product, prior)
        unwind(told, listed, size, prior)


@compiled
def offer(best: Floats, products: Codes, size: int, score: float, product: int, prior: Floats) -> int:
    """Put a product into a heap of the best, whose worst lies on top; returns the heap's new size.

    `best` float32 [k] and `products` int32 [k] hold the heap in their first `size` places; once it is full,
    the worst falls out, be it the new one.
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
def unwind(best: Floats, products: Codes, size: int, prior: Floats) -> None:
    """Turn a heap of `offer` into a list, best first, in place."""
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
