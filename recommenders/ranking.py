"""Selects the k best products of each row of scores, with deterministic tie-breaking."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommenders.compiled import compiled
from recommenders.histories import Floats, Histories
from recommenders.selection import BLOCK, block_max, select
from recommenders.vocabulary import Codes

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
