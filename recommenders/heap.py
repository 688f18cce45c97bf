"""A heap of the k best products. Ties are broken, so the order is deterministic."""

from recommenders.compiled import compiled
from recommenders.histories import Floats
from recommenders.vocabulary import Codes


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
