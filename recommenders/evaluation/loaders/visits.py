"""Finds the visit of each test case. Cases of the same visit are not independent."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from recommenders.evaluation.sets import Flags
from recommenders.histories import Histories, Ints
from recommenders.vocabulary import Codes, Vocabulary


def visits_of_cases(test_columns: Mapping[str, pa.Array]) -> tuple[Ints, str]:
    """Return the visit of each case, int64 [cases], and a note for the reader.

    The column `session`, if it exists, gives the visit. Otherwise two consecutive cases are of the same visit
    if the prefix of one is the prefix of the other with its target appended.

    Raises:
        UserError: an id is missing.
    """
    if "session" in test_columns:
        visits = Vocabulary.of(test_columns["session"], "session")[1].astype(np.int64)
        return visits, f"intervals are over {int(visits.max()) + 1:,} visits"
    products, flat = Vocabulary.of(test_columns["prefix"].flatten(), "product")
    targets = products.codes(test_columns["target"])
    lengths = np.diff(test_columns["prefix"].offsets.to_numpy())
    rows = np.repeat(np.arange(len(lengths)), lengths)
    histories = _rows(rows, flat, len(lengths))
    extended_histories = _rows(
        np.concatenate([rows, np.arange(len(targets))]), np.concatenate([flat, targets]), len(lengths)
    )
    continues = _same(extended_histories[1:], histories[:-1]) | _same(extended_histories[:-1], histories[1:])
    visits = np.concatenate([np.zeros(1, np.int64), np.cumsum(~continues)])
    if not continues.any():
        return visits, (
            "each case counts as a separate visit: if several cases are of one visit, add a column session, "
            "else the intervals are too narrow"
        )
    return visits, (
        f"intervals are over {int(visits[-1]) + 1:,} visits: cases that continue each other are one visit"
    )


def _rows(rows: Ints, products: Codes, count: int) -> Histories:
    return Histories.grouped(rows, count, products, np.ones(len(products), np.float32))


def _same(first: Histories, second: Histories) -> Flags:
    """Return whether the rows of both hold the same products: bool [rows]."""
    same: Flags = first.lengths == second.lengths
    rows = np.flatnonzero(same)
    left, right = first.take(rows), second.take(rows)
    same[rows[left.rows[left.products != right.products]]] = False
    return same
